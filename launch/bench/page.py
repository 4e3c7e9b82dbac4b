"""What the dashboard costs a run: 16 UEs as fast as they go, with the page and one who looks, and without.

Both runs have the same questions, the next round as soon as the last is served, and are made in turn. The
throughput is answers over the time from the first request to the last answer: the page's start is in it.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.timing import rate_line
from launch.bench.visitor import Visitor
from launch.dashboard.address import Address
from launch.displays import LineDisplay
from launch.errors import LaunchError
from launch.run_files import read_run

USERS: Final = 16
PAIRS: Final = 3
KEPT: Final = 0.95


def bench(order: Order) -> list[Line]:
    """Answers a second."""
    with_s: list[float] = []
    without_s: list[float] = []
    for number in range(PAIRS):
        for page, times in ((False, without_s), (True, with_s)):
            display = Looking() if page else None
            name = f"{'page' if page else 'plain'}-{number}"
            made = order.runs.fresh("full", name, display, Address() if page else None)
            times.append(took_s(read_run(made.folder).events))
            if display is not None:
                display.check()
    answers = int(made.summary["requests"]["attempted"])
    return [
        rate_line(
            "page.throughput",
            f"requests of {USERS} UEs at full rate, with the page and one who looks",
            "1/s",
            answers,
            with_s,
            "without",
            without_s,
            target=Target("ratio", KEPT, "at least"),
        )
    ]


def took_s(events: Iterable[Mapping[str, Any]]) -> float:
    """From the first request to the last answer. Raises `LaunchError` where there is none."""
    begun = [float(e["t"]) for e in events if e.get("event") == "invoke"]
    ended = [float(e["t"]) for e in events if e.get("event") in ("ok", "degraded")]
    if not begun or not ended:
        raise LaunchError("bench: nobody was answered")
    return max(ended) - min(begun)


class Looking(LineDisplay):
    """Visits the page as soon as it is there."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._visitor: Visitor | None = None

    def show(self, message: dict[str, Any]) -> None:
        super().show(message)
        if message["kind"] == "dashboard":
            self._visitor = Visitor(str(message["url"]))
            self._visitor.come()

    def check(self) -> None:
        """Somebody has really looked. Raises `LaunchError`."""
        if self._visitor is None or not self._visitor.saw_something():
            raise LaunchError("bench: the page was not there, or showed nothing")
        self._visitor.leave()
