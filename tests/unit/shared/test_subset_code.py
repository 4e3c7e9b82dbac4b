"""Every subset has its own rank, no rank is left over, and there are no bits to spare."""

from itertools import combinations
from math import comb, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.subset_code import places_of, rank_bits, rank_of


@pytest.mark.parametrize(("n", "k"), [(7, 3), (6, 0), (5, 5), (1, 1), (9, 1)])
def test_ranks_are_all_numbers_below_the_number_of_subsets(n: int, k: int) -> None:
    ranks = [rank_of(places) for places in combinations(range(n), k)]
    assert sorted(ranks) == list(range(comb(n, k)))


@given(st.sets(st.integers(0, 728), max_size=729))
def test_places_come_back(places: set[int]) -> None:
    ordered = tuple(sorted(places))
    rank = rank_of(ordered)
    assert places_of(rank, 729, len(ordered)) == ordered
    assert rank.bit_length() <= rank_bits(729, len(ordered))


def test_sixteen_of_a_hundred_places_take_the_bits_that_theory_says() -> None:
    assert 0 <= rank_bits(100, 16) - log2(comb(100, 16)) < 1


def test_a_rank_that_no_subset_has_is_refused() -> None:
    with pytest.raises(ValueError, match="expected less than 10 for 2 of 5"):
        places_of(10, 5, 2)
