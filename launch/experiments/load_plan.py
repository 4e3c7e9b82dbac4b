"""Which rates `m4sc experiment load` tries: one after another, by what came of those before."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

OWN_KEYS: Final = ("workload.requests_per_s", "workload.requests", "workload.arrivals")
"""What the rows set of a configuration."""
MAX_DOUBLINGS: Final = 12
_ROUNDING: Final = 1.02
Kind = Literal["steady", "before", "over", "after"]
_PARTS: Final[tuple[Kind, ...]] = ("before", "over", "after", "after")


@dataclass(frozen=True, slots=True)
class Stage:
    """One run: `requests` in all, in equal parts of time at these rates."""

    rates_per_s: tuple[float, ...]
    requests: int

    @property
    def name(self) -> str:
        """As a folder's name."""
        return "rate" + "-".join(f"{rate:g}" for rate in self.rates_per_s)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of each part."""
        return ("steady",) if len(self.rates_per_s) == 1 else _PARTS

    @property
    def overrides(self) -> tuple[str, ...]:
        rates = json.dumps([float(f"{rate:g}") for rate in self.rates_per_s])
        values = (rates, self.requests, "poisson")
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))


@dataclass(frozen=True, slots=True)
class Plan:
    """`rates_per_s`: those to try, lowest first; none: they are searched for, from `lowest_per_s` on, and
    `steps` times between the highest that is served in time and the next."""

    lowest_per_s: float
    rates_per_s: tuple[float, ...]
    steps: int
    overload: float
    requests: int

    @property
    def first(self) -> float:
        return min(self.rates_per_s, default=self.lowest_per_s)

    def next_rate(self, served: Mapping[float, bool]) -> float | None:
        """What to try next, after these rates; None: enough is known."""
        if self.rates_per_s:
            return next((rate for rate in sorted(self.rates_per_s) if rate not in served), None)
        return search(served, self.first, self.steps)

    def overload_stage(self, served_per_s: float, too_high_per_s: float) -> Stage:
        """Half of what is served; `overload` times what is too much, with twice the requests of a rate; and,
        for twice as long, half of what is served."""
        low, over = float(f"{served_per_s / 2:.3g}"), float(f"{self.overload * too_high_per_s:.3g}")
        rates = (low, over, low, low)
        return Stage(rates, round(2 * self.requests * sum(rates) / over))


def search(served: Mapping[float, bool], first: float, steps: int) -> float | None:
    """Doubled until one is too high, then `steps` geometric means; None at the end of it."""
    if first not in served:
        return first
    low, high = bounds(served)
    if high is None:
        return low * 2 if len(served) <= MAX_DOUBLINGS else None
    near = 2 ** (0.5**steps) * _ROUNDING
    return None if low == 0 or high / low < near else float(f"{math.sqrt(low * high):.3g}")


def bounds(served: Mapping[float, bool]) -> tuple[float, float | None]:
    """The highest rate up to which all were served in time (0: none), and the lowest that was not."""
    high = min((rate for rate, well in served.items() if not well), default=None)
    low = max((rate for rate, well in served.items() if well and (high is None or rate < high)), default=0.0)
    return low, high
