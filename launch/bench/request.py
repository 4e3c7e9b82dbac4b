"""What a request takes beyond computing, in a testbed where nothing else goes on, by the journal's times.

Latency runs from intake to the answer's arrival at the base station. What is left of it without the stages
that compute is waiting for threads, sockets, and the emulator; the window is 0 ms in this run.
"""

from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.star import Shape, star
from launch.bench.timing import cost_line
from launch.errors import LaunchError
from launch.run_files import read_run

WAITS = ("queue", "air")
"""Stages of the journal in which nothing is computed for the request."""
USES = 224
"""Of a frame of the shipped bundle."""


def bench(order: Order) -> list[Line]:
    """Milliseconds on the clock. The reference is one frame there and an answer back through a forwarder."""
    alone = order.runs.get("alone")
    beyond_ms, all_ms, idle_from_s = [], [], 0.0
    for event in read_run(alone.folder).events:
        if event.get("event") in ("ok", "degraded"):
            latency_ms, ended_s = float(event["latency_ms"]), float(event["t"])
            if ended_s - latency_ms / 1e3 >= idle_from_s:  # it found no other one open
                computed_ms = sum(ms for stage, ms in event["stage_ms"].items() if stage not in WAITS)
                all_ms.append(latency_ms)
                beyond_ms.append(latency_ms - computed_ms)
            idle_from_s = ended_s
    if not all_ms:
        raise LaunchError("bench: every request of the run was still open when the next one came")
    with star("forwarder", Shape(1, USES, order.seed)) as ends:
        bare_ms = [1e3 * ends.round_trip_s() for _ in range(len(all_ms) + 1)][1:]
    return [
        cost_line(
            "request.beyond",
            "a request alone, latency beyond computing and window",
            "ms",
            beyond_ms,
            "round trip through a bare forwarder",
            bare_ms,
            Target("value", 5.0, "at most"),
        ),
        cost_line("request.latency", "a request alone, latency", "ms", all_ms),
    ]
