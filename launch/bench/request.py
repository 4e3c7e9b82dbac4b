"""What a request takes beyond computing, in a testbed where nothing else goes on, by the journal's times.

Latency runs from intake to the answer's arrival at the base station. What is left of it without the stages
that compute is waiting for threads, sockets, and the emulator; the window is 0 ms in this run.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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
    times = undisturbed(read_run(order.runs.get("alone").folder).events)
    if not times:
        raise LaunchError("bench: every request of the run was still open when the next one came")
    with star("forwarder", Shape(1, USES, order.seed)) as ends:
        bare_ms = [1e3 * ends.round_trip_s() for _ in range(len(times) + 1)][1:]
    return [
        cost_line(
            "request.beyond",
            "a request alone, latency beyond computing and window",
            "ms",
            [request.beyond_ms for request in times],
            "round trip through a bare forwarder",
            bare_ms,
            Target("value", 5.0, "at most"),
            paired=False,
        ),
        cost_line("request.latency", "a request alone, latency", "ms", [r.latency_ms for r in times]),
    ]


class Times(NamedTuple):
    """Of one request."""

    latency_ms: float
    beyond_ms: float


def undisturbed(events: Iterable[Mapping[str, Any]]) -> list[Times]:
    """Of every answered request that found no other one open, by a journal's events in their order."""
    found, idle_from_s = [], 0.0
    for event in events:
        if event.get("event") in ("ok", "degraded"):
            latency_ms, ended_s = float(event["latency_ms"]), float(event["t"])
            if ended_s - latency_ms / 1e3 >= idle_from_s:
                computed_ms = sum(ms for stage, ms in event["stage_ms"].items() if stage not in WAITS)
                found.append(Times(latency_ms, latency_ms - computed_ms))
            idle_from_s = ended_s
    return found
