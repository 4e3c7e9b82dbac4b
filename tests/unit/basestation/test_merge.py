"""Merging is priced as it would be sent, and taken only where that is less."""

from collections.abc import Sequence

import numpy as np

from basestation.compare import Comparison, TokenSequence, compare
from basestation.merge import merge
from basestation.partition import partition
from shared import index_map
from shared.config import SharingConfig
from shared.index_map import IndexMap
from shared.token_runs import runs_of
from tests.unit.basestation.test_partition import sequence

SHARING = SharingConfig(cosine_threshold=0.99)
N = 60


def price_of(sequences: Sequence[TokenSequence], comparison: Comparison, uses: int) -> int:
    plan = partition(sequences, comparison, 16)
    maps = sum(
        index_map.encode(
            IndexMap("vqa", True, False, len(s.text_ids), (0, 0), runs_of(plan.positions[s.request_id]))
        )[1]
        for s in sequences
    )
    return uses * (plan.public_tokens + plan.private_tokens) + maps


def loud(user: int) -> float:
    return 20.0


def two(alike: Sequence[int]) -> list[TokenSequence]:
    first, second = sequence(0, 0, 1, (1,), N), sequence(1, 1, 2, (2,), N)
    assert first.image_ND is not None
    assert second.image_ND is not None
    second.image_ND[list(alike)] = first.image_ND[list(alike)]
    return [first, second]


def merged_positions(group: list[TokenSequence], uses: int) -> int:
    return merge(
        group, compare(group, SHARING, 2), SHARING, lambda c, most: price_of(group, c, uses), loud
    ).merged


def test_single_places_are_worth_it_only_where_a_token_is_dear() -> None:
    scattered = two(range(0, N, 9))
    assert merged_positions(scattered, uses=2) == 0
    assert merged_positions(scattered, uses=256) == 7


def test_a_run_is_worth_it_and_what_lies_alone_is_left() -> None:
    group = two([*range(10, 40), 50])
    assert merged_positions(group, uses=14) == 30
    assert merged_positions(group, uses=256) == 31


def test_merging_never_makes_a_group_dearer() -> None:
    rng = np.random.default_rng(0)
    for uses in (1, 4, 14, 64):
        for share in (0.1, 0.5, 0.9):
            group = two(np.nonzero(rng.random(N) < share)[0].tolist())
            exact = compare(group, SHARING, 2)
            chosen = merge(group, exact, SHARING, lambda c, most, g=group, u=uses: price_of(g, c, u), loud)  # type: ignore[misc]
            assert price_of(group, chosen, uses) <= price_of(group, exact, uses)


def test_without_sharing_nothing_is_merged() -> None:
    group = two(range(N))
    off = SharingConfig(enabled=False)
    exact = compare(group, off, 2)
    assert merge(group, exact, off, lambda c, most: -c.merged, loud) is exact


def test_where_to_look_is_a_matter_of_choice() -> None:
    """Twenty places resemble the other image's, ten others one of their own image."""
    group = two(range(20))
    own = group[1].image_ND
    assert own is not None
    own[40:50] = own[39]
    counts = {}
    for similar in ("anywhere", "within_image", "nowhere"):
        sharing = SharingConfig(cosine_threshold=0.99, similar=similar)  # type: ignore[arg-type]
        exact = compare(group, sharing, 2)
        counts[similar] = merge(group, exact, sharing, lambda c, most: price_of(group, c, 256), loud).merged
    assert counts == {"anywhere": 30, "within_image": 10, "nowhere": 0}


def test_who_hears_little_gets_own_tokens_and_may_lead_others() -> None:
    group = two(range(N))
    exact = compare(group, SHARING, 2)
    counts = set()
    for faint in (0, 1):
        snr_db_of = {faint: SHARING.least_snr_db - 0.1, 1 - faint: SHARING.least_snr_db}.__getitem__
        chosen = merge(group, exact, SHARING, lambda c, most: price_of(group, c, 256), snr_db_of)
        assert chosen.keys[faint] == exact.keys[faint]
        counts.add(chosen.merged)
    assert counts == {0, N}, "one leads; the other joins it, or is faint"
    everywhere = dict.fromkeys((0, 1), 0.0).__getitem__
    assert merge(group, exact, SHARING, lambda c, most: -c.merged, everywhere) is exact
