"""The emulator's process over real sockets, beside a forwarder that hands the same frames on untouched.

The forwarder reads routing ids and adds no noise: what is left is ZeroMQ, the kernel and the ends. Seconds
are on the clock.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from launch.bench.emulator import UNIT
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.star import Ends, Hub, Shape, star
from launch.bench.timing import Work, cost_line, interleaved, rate_line

HUBS: tuple[Hub, ...] = ("emulator", "forwarder")
FORWARDER = "noise-free ZeroMQ forwarder"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Users, channel uses of a frame (the paper preset's), frames and round trips of a measurement."""

    receivers: int = 8
    uses: int = 4_096
    frames: int = 100
    trips: int = 20


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Samples a second that reach users, and round trips, through either hub in turn."""
    frames_s = _side_by_side(
        order, Shape(sizes.receivers, sizes.uses, order.seed), lambda ends: ends.send_all(sizes.frames)
    )
    trips_s = _side_by_side(
        order,
        Shape(1, sizes.uses, order.seed),
        lambda ends: [ends.round_trip_s() for _ in range(sizes.trips)],
    )
    trip_ms = {hub: [1e3 * s / sizes.trips for s in seconds] for hub, seconds in trips_s.items()}
    return [
        rate_line(
            "sockets.frames",
            f"emulator's process, awgn, frames of {sizes.uses:,} uses, {sizes.receivers} receivers",
            UNIT,
            sizes.receivers * sizes.uses * sizes.frames / 1e6,
            frames_s["emulator"],
            FORWARDER,
            frames_s["forwarder"],
        ),
        cost_line(
            "sockets.trip",
            f"a frame of {sizes.uses:,} uses there and an answer back",
            "ms",
            trip_ms["emulator"],
            FORWARDER,
            trip_ms["forwarder"],
        ),
    ]


def _side_by_side(order: Order, shape: Shape, work: Callable[[Ends], object]) -> dict[str, list[float]]:
    with ExitStack() as stack:
        works: dict[str, Work] = {hub: partial(work, stack.enter_context(star(hub, shape))) for hub in HUBS}
        return interleaved(works, order.rounds, time.perf_counter)
