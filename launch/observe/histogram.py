"""A histogram of times, as Prometheus has them: cumulative counts below fixed bounds, and a sum."""

from bisect import bisect_left
from typing import Final

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Histogram:
    """Seconds. `count` observations, `sum_s` in all."""

    def __init__(self) -> None:
        self.count = 0
        self.sum_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    def observe(self, seconds: float) -> None:
        self.count += 1
        self.sum_s += seconds
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1

    def cumulative(self) -> list[tuple[str, float]]:
        """(bound as text, observations of at most that), the last bound is '+Inf'."""
        found: list[tuple[str, float]] = []
        below = 0
        for bound, count in zip((*BOUNDS_S, None), self._counts, strict=True):
            below += count
            found.append(("+Inf" if bound is None else str(bound), float(below)))
        return found
