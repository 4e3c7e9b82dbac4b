"""Which frames sums give, whatever order they come in."""

from itertools import permutations

import pytest

from shared.wire.messages import SymbolFrame
from userequipment.peel import lacking_of, peel, with_their_parts


def frame(*frame_ids: int) -> SymbolFrame:
    first, *others = frame_ids
    return SymbolFrame(
        stream="public", users=(0,), group_id=0, frame_id=first, attempt=1, first_token=first, n_tokens=1,
        uses_per_token=1, pilot_uses=0, first_use=0, uses=1, energy=1.0, sample_format="cf32", full_scale=1.0,
        added=tuple((i, i, 1) for i in others), payload=bytes(8),
    )  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_one_that_was_found_may_be_what_another_lacks(order: tuple[int, ...]) -> None:
    sums = [frame(1, 2), frame(2, 3), frame(3, 4, 0)]
    found = peel({0: [frame(0)], 1: [frame(1)]}, [sums[i] for i in order])
    assert {frame_id: (named[0], added) for frame_id, (named, added) in found.items()} == {
        2: (2, sums[0]),
        3: (3, sums[1]),
        4: (4, sums[2]),
    }


def test_two_that_are_lacking_stay_so() -> None:
    assert peel({0: [frame(0)]}, [frame(0, 1, 2), frame(3, 4)]) == {}
    assert [named[0] for named in lacking_of(frame(0, 1, 2), {0: ()}, {2: ()})] == [1]


def test_sums_that_say_the_same_give_a_frame_once() -> None:
    assert set(peel({0: [frame(0)]}, [frame(0, 1), frame(1, 0)])) == {1}


def test_all_that_has_to_be_taken_away_is_handed_over_and_no_more() -> None:
    frames = {i: [frame(i)] for i in (0, 1, 7)}
    sums = [frame(1, 2), frame(2, 3)]
    peeled = peel(frames, [*sums, frame(0, 8)])
    assert with_their_parts([3], frames, peeled) == {3: (sums[1],), 2: (sums[0],), 1: (frame(1),)}
    assert with_their_parts([], frames, peeled) == {}
