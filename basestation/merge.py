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

Price = Callable[[Comparison, int | None], int]
"""Channel uses of a group named like this; anything above the second argument where they are more."""


def merge(
    sequences: Sequence[TokenSequence],
    comparison: Comparison,
    sharing: SharingConfig,
    price: Price,
    snr_db_of: Callable[[int], float],
) -> Comparison:
    """The cheapest naming of a group's tokens; of equals the one with fewer tokens replaced.

    `snr_db_of`: a user's average received Es/N0 in dB.
    """
    joining = [s.image_key is not None and snr_db_of(s.user) >= sharing.least_snr_db for s in sequences]
    if not sharing.enabled or sharing.similar == "nowhere" or not any(joining):
        return comparison
    best, least = comparison, None
    for candidate in _candidates(comparison, sharing, joining):
        least = price(comparison, None) if least is None else least
        uses = price(candidate, least)
        if (uses, candidate.merged) < (least, best.merged):
            best, least = candidate, uses
    return best


def _candidates(
    comparison: Comparison, sharing: SharingConfig, joining: Sequence[bool]
) -> Iterator[Comparison]:
    """Those that differ from `comparison` and from each other.

    More replacements first: they are likely to be cheap, and the dear ones are then soon left.
    """
    found = [merged(comparison, leaders_within_image(comparison, sharing), 1, joining)]
    if sharing.similar == "anywhere":
        in_place = leaders_in_place(comparison, sharing)
        found += [merged(comparison, in_place, run, joining) for run in SHORTEST_RUNS]
        found.append(merged(comparison, leaders_anywhere(comparison, sharing), 1, joining))
    seen = [comparison.keys]
    for candidate in sorted(found, key=lambda c: c.merged, reverse=True):
        if candidate.merged and candidate.keys not in seen:
            seen.append(candidate.keys)
            yield candidate
