"""What of a group's frames is kept, what is good, and what a request still lacks."""

import math
from dataclasses import replace

from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.feedback import MAX_ATTEMPT, nack_feedback
from userequipment.group_frames import Combining, GroupFrames, size_of


def frame(frame_id: int, attempt: int = 0, added: tuple[int, ...] = ()) -> SymbolFrame:
    """One token of one channel use; a sum where others are `added`."""
    return SymbolFrame(
        stream="public", users=(0,), group_id=0, frame_id=frame_id, attempt=attempt, first_token=frame_id,
        n_tokens=1, uses_per_token=1, pilot_uses=0, first_use=0, uses=1, energy=1.0, sample_format="cf32",
        full_scale=1.0, added=tuple((i, i, 1) for i in added), payload=bytes(8),
    )  # fmt: skip


def side(*frame_ids: int) -> SideInfo:
    """The map of a request that needs these frames."""
    return SideInfo(
        user=0, request_id="r", group_id=0, attempt=0, first_use=0, uses=1, energy=1.0, deadline_ms=1_000,
        frames=tuple((i, 0, i, 1) for i in frame_ids), payload=bytes(8),
    )  # fmt: skip


def kept(frames: GroupFrames, *arrived: SymbolFrame) -> GroupFrames:
    for one in arrived:
        if frames.wants(one):
            frames.keep(one)
    return frames


def test_without_combining_the_first_copy_is_kept_and_no_other() -> None:
    frames = kept(GroupFrames(None), frame(0), frame(0, attempt=1), frame(0))
    assert frames.bytes == size_of(frame(0))
    assert frames.has(frame(0))
    assert not frames.has(frame(0, attempt=1))
    assert frames.missing(side(0, 1)) == (1,)
    assert frames.reception(side(0, 1)).frames == {0: (frame(0),)}


def test_copies_are_wanted_until_they_are_good_together_or_all_there() -> None:
    def combined(least_snr_db: float, attempts: int) -> GroupFrames:
        adding_up = Combining(lambda copies: 10 * math.log10(len(copies)), least_snr_db, max_attempts=4)
        return kept(GroupFrames(adding_up), *(frame(0, attempt) for attempt in range(attempts)))

    for least_snr_db, needed in ((0.0, 1), (3.0, 2), (4.0, 3), (30.0, 4)):
        for attempts in range(1, 5):
            lacking = combined(least_snr_db, attempts).missing(side(0))
            assert lacking == (() if attempts >= needed else (0,)), (least_snr_db, attempts)
    assert not combined(30.0, 2).wants(frame(0, attempt=1))
    assert not combined(30.0, 2).wants(replace(frame(0, attempt=2), uses_per_token=2))


def test_frames_of_other_tokens_than_the_map_names_are_none() -> None:
    frames = kept(GroupFrames(None), frame(0), frame(1))
    other = replace(side(0, 1), frames=((0, 0, 5, 1), (1, 1, 1, 1)))
    assert frames.missing(other) == (0, 1)
    assert frames.reception(other).frames == {}


def test_what_is_left_of_a_sum_counts_and_is_no_frame_that_came_by_itself() -> None:
    added = frame(1, attempt=1, added=(0, 2))
    frames = kept(GroupFrames(None), added)
    assert not frames
    assert frames.missing(side(0, 1, 2)) == (0, 1, 2)
    kept(frames, frame(0), frame(2))
    assert frames
    assert not frames.missing(side(0, 1, 2))
    assert not frames.wants(frame(2, attempt=2, added=(1,)))
    assert frames.reception(side(1)).frames == {1: (added,), 0: (frame(0),), 2: (frame(2),)}
    assert frames.bytes == 3 * size_of(added)


def test_a_nack_tells_its_number_as_far_as_its_field_goes() -> None:
    for nacks, told in ((1, 1), (MAX_ATTEMPT + 3, MAX_ATTEMPT)):
        said = nack_feedback(side(0, 1), nacks, (1,))
        assert (said.attempt, said.complete, said.side_missing, said.missing_frames) == (
            told,
            False,
            False,
            (1,),
        )
