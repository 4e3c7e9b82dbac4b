"""Merge: of similar tokens, those that save channel uses.

A token that stands in for others saves their channel uses and costs bits of every index map that points at
it, more where it stands alone than in a run. So the group is priced as it would be sent, map bits and pilots
included, without merging and with more and more of it, and the cheapest is taken: merging never makes a
group dearer. Distortion is bounded by the thresholds of similarity.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from basestation.compare import (
    Comparison,
    TokenSequence,
    leaders_anywhere,
    leaders_in_place,
    leaders_within_image,
    merged,
)
from shared.config import SharingConfig

SHORTEST_RUNS: Final = (1, 3, 6)

Price = Callable[[Comparison], int]
"""Channel uses of a group that is named like this."""


def merge(
    sequences: Sequence[TokenSequence], comparison: Comparison, sharing: SharingConfig, price: Price
) -> Comparison:
    """The cheapest naming of a group's tokens; of equals the one with fewer tokens replaced."""
    images = {s.image_key for s in sequences if s.image_key is not None}
    if not sharing.enabled or sharing.similar == "nowhere" or not images:
        return comparison
    best, least = comparison, None
    for candidate in _candidates(comparison, sharing):
        least = price(comparison) if least is None else least
        uses = price(candidate)
        if uses < least:
            best, least = candidate, uses
    return best


def _candidates(comparison: Comparison, sharing: SharingConfig) -> Iterator[Comparison]:
    """Those that differ from `comparison` and from each other, fewer replacements first."""
    found = [merged(comparison, leaders_within_image(comparison, sharing))]
    if sharing.similar == "anywhere":
        in_place = leaders_in_place(comparison, sharing)
        found += [merged(comparison, in_place, run) for run in SHORTEST_RUNS]
        found.append(merged(comparison, leaders_anywhere(comparison, sharing)))
    seen = [comparison.keys]
    for candidate in sorted(found, key=lambda c: c.merged):
        if candidate.merged and candidate.keys not in seen:
            seen.append(candidate.keys)
            yield candidate
