"""A line of a bench: a figure, the reference measured beside it, and what is asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

TIMES_PER_S: Final = ("/s",)
"""Units that end so are rates: more is better. Of everything else less is."""


class Spread(NamedTuple):
    """Quartiles of repeated measurements."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        low, median, high = np.percentile(np.asarray(values, np.float64), (25, 50, 75)).tolist()
        return cls(low, median, high)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a line's value, or on its ratio to the reference."""

    of: Literal["value", "ratio"]
    bound: float
    kind: Literal["at least", "at most"]

    def __str__(self) -> str:
        sign = "≥" if self.kind == "at least" else "≤"
        return f"{sign} {self.bound:g}{'x' if self.of == 'ratio' else ''}"

    def met_by(self, value: float) -> bool:
        return value >= self.bound if self.kind == "at least" else value <= self.bound


@dataclass(frozen=True, slots=True)
class Line:
    """`ratio` says how many times better than the reference the figure is: it is the median of the ratios of
    repeats made next to each other, and need not be that of the two medians.

    `note`: what a reader must know, as that the figure and its reference disagree on the result.
    """

    name: str
    figure: str
    unit: str
    value: Spread
    reference: str = ""
    reference_value: Spread | None = None
    ratio: Spread | None = None
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        if self.target.of == "value":
            return self.target.met_by(self.value.median)
        return self.ratio is not None and self.target.met_by(self.ratio.median)

    def as_json(self) -> dict[str, Any]:
        """Medians, with the quartiles beside them."""
        return {
            "name": self.name,
            "figure": self.figure,
            "unit": self.unit,
            "value": self.value.median,
            "value_quartiles": [self.value.low, self.value.high],
            "reference": self.reference or None,
            "reference_value": None if self.reference_value is None else self.reference_value.median,
            "ratio": None if self.ratio is None else self.ratio.median,
            "ratio_quartiles": None if self.ratio is None else [self.ratio.low, self.ratio.high],
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "note": self.note or None,
        }


def more_is_better(unit: str) -> bool:
    """Whether a unit is that of a rate."""
    return unit.endswith(TIMES_PER_S)
