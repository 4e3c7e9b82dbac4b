"""Which layer to cut at: a rule on the measured table, the same for every model.

Cost is a product of computation and bytes, because the two have no common unit: so it ranks alike whatever
they are counted in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RULE: Final = (
    "The rule: of the cuts whose accuracy is not significantly worse than the best one's (the paired 95% "
    "interval of the difference does not lie below zero), the one with the smallest product of multiply-adds "
    "(base station and UE together) and payload bytes a request."
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A measured split. `multiply_adds` and `payload_bytes` are per request."""

    k: int
    is_worse: bool
    multiply_adds: float
    payload_bytes: float

    @property
    def cost(self) -> float:
        return self.multiply_adds * self.payload_bytes


def recommend(cuts: Sequence[Cut]) -> int:
    """The k to choose; of equally cheap ones the smallest. Raises ValueError where all are worse."""
    return min((cut for cut in cuts if not cut.is_worse), key=lambda cut: (cut.cost, cut.k)).k
