"""What a UE says of the frames of a request: all there, some missing, no index map, no such image kept."""

from dataclasses import replace
from typing import Final

from shared.wire.messages import Feedback, SideInfo

MAX_ATTEMPT: Final = 255


def complete_feedback(side: SideInfo) -> Feedback:
    """ACK: nothing is missing. Also the reply to a poll for a request that is being decoded."""
    return Feedback(
        user=side.user,
        request_id=side.request_id,
        group_id=side.group_id,
        attempt=min(side.attempt, MAX_ATTEMPT),
        complete=True,
        side_missing=False,
        missing_frames=(),
    )


def nack_feedback(side: SideInfo, nacks: int, missing_frames: tuple[int, ...]) -> Feedback:
    """NACK: the `nacks`-th of this request."""
    return replace(
        complete_feedback(side),
        attempt=min(nacks, MAX_ATTEMPT),
        complete=False,
        missing_frames=missing_frames,
    )


def side_missing_feedback(side: SideInfo) -> Feedback:
    """The map came and cannot be read."""
    return replace(complete_feedback(side), request_id="", complete=False, side_missing=True)


def no_side_feedback(user: int, group_id: int, nacks: int) -> Feedback:
    """Frames of a group came and no map: the `nacks`-th time that this is said."""
    return Feedback(
        user=user,
        request_id="",
        group_id=group_id,
        attempt=min(nacks, MAX_ATTEMPT),
        complete=False,
        side_missing=True,
        missing_frames=(),
    )


def cache_miss_feedback(side: SideInfo) -> Feedback:
    """The map refers to an image that is not here."""
    return replace(complete_feedback(side), complete=False, cache_miss=True)
