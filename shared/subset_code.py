"""Which k of n places are meant, in as few bits as there are ways to choose them: ceil(log2 C(n, k)).

Enumerative source coding (Cover 1973) in the combinatorial number system: places p_1 < ... < p_k have the
rank C(p_1, 1) + ... + C(p_k, k).
"""

from collections.abc import Sequence
from math import comb


def rank_bits(n: int, k: int) -> int:
    """Bits of a rank."""
    return (comb(n, k) - 1).bit_length()


def rank_of(places: Sequence[int]) -> int:
    """Of places in ascending order."""
    return sum(comb(place, i) for i, place in enumerate(places, 1))


def places_of(rank: int, n: int, k: int) -> tuple[int, ...]:
    """Inverse of `rank_of` among n places. Raises ValueError for a rank that none of C(n, k) subsets has."""
    if not 0 <= rank < comb(n, k):
        raise ValueError(f"rank {rank}: expected less than {comb(n, k)} for {k} of {n} places")
    places: list[int] = []
    place = n
    for i in range(k, 0, -1):
        place -= 1
        while comb(place, i) > rank:
            place -= 1
        places.append(place)
        rank -= comb(place, i)
    return tuple(reversed(places))
