"""Partition: public tokens once for the users that need them, private tokens per request, a map for each.

The public stream of a group is numbered so that tokens of one set of users are neighbours; frames never
mix sets, nor image and text tokens, which may differ in channel uses. Frames are numbered within the group:
public ones first, then request by request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from basestation.compare import Comparison, Key, TokenSequence
from shared.index_map import TokenState, known_positions

Kind = Literal["image", "text"]
KINDS: tuple[Kind, ...] = ("image", "text")


@dataclass(frozen=True, slots=True)
class FramePlan:
    """Which tokens one frame carries, in order, of what kind and for whom.

    `request_id` is empty for public frames.
    """

    frame_id: int
    stream: str
    users: tuple[int, ...]
    request_id: str
    kind: Kind
    first_token: int
    tokens: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """All frames of a group, and for each request where its tokens lie (in sequence order)."""

    frames: tuple[FramePlan, ...]
    positions: dict[str, list[tuple[TokenState, int]]]
    public_tokens: int
    private_tokens: int

    def frames_for(self, request_id: str) -> list[FramePlan]:
        """The frames that a request's map refers to, in order of frame_id."""
        needed = {reference for state, reference in self.positions[request_id] if state is TokenState.PUBLIC}
        return [
            frame
            for frame in self.frames
            if frame.request_id == request_id
            or (
                frame.stream == "public"
                and any(frame.first_token + i in needed for i in range(len(frame.tokens)))
            )
        ]


def partition(sequences: Sequence[TokenSequence], comparison: Comparison, tokens_per_frame: int) -> Partition:
    """A token that two or more requests use is public; every other one is private."""
    users_of: dict[Key, set[int]] = {}
    uses_of: dict[Key, int] = {}
    kind_of: dict[Key, Kind] = {}
    for sequence, names in zip(sequences, comparison.keys, strict=True):
        for position, name in enumerate(names):
            if name is not None:
                kind_of.setdefault(name, "image" if position < sequence.image_length else "text")
        for name in _sent(names):
            users_of.setdefault(name, set()).add(sequence.user)
            uses_of[name] = uses_of.get(name, 0) + 1

    by_users: dict[tuple[tuple[int, ...], Kind], list[Key]] = {}
    for name, count in uses_of.items():
        if count >= 2:
            by_users.setdefault((tuple(sorted(users_of[name])), kind_of[name]), []).append(name)

    frames: list[FramePlan] = []
    place: dict[Key, int] = {}
    for (users, kind), shared in by_users.items():
        first = len(place)
        place.update((name, first + i) for i, name in enumerate(shared))
        frames += _cut("public", users, "", kind, first, shared, tokens_per_frame, len(frames))

    positions: dict[str, list[tuple[TokenState, int]]] = {}
    private_tokens = 0
    for sequence, names in zip(sequences, comparison.keys, strict=True):
        own_place: dict[Key, int] = {}
        for kind in KINDS:
            own = [name for name in _sent(names) if name not in place and kind_of[name] == kind]
            first = len(own_place)
            own_place.update((name, first + i) for i, name in enumerate(own))
            users = (sequence.user,)
            frames += _cut(
                "private", users, sequence.request_id, kind, first, own, tokens_per_frame, len(frames)
            )
        own_positions = [_position(name, place, own_place) for name in names]
        if sequence.cached is not None:
            own_positions[: sequence.image_length] = known_positions(sequence.image_length)
        positions[sequence.request_id] = own_positions
        private_tokens += len(own_place)
    return Partition(tuple(frames), positions, len(place), private_tokens)


def _sent(names: Sequence[Key | None]) -> list[Key]:
    """Each name once."""
    return list(dict.fromkeys(name for name in names if name is not None))


def _position(
    name: Key | None, public: Mapping[Key, int], private: Mapping[Key, int]
) -> tuple[TokenState, int]:
    if name is None:
        return TokenState.UNSELECTED, -1
    return (TokenState.PUBLIC, public[name]) if name in public else (TokenState.PRIVATE, private[name])


def _cut(
    stream: str,
    users: tuple[int, ...],
    request_id: str,
    kind: Kind,
    first_token: int,
    names: list[Key],
    tokens_per_frame: int,
    first_frame: int,
) -> list[FramePlan]:
    return [
        FramePlan(
            first_frame + i // tokens_per_frame,
            stream,
            users,
            request_id,
            kind,
            first_token + i,
            tuple(names[i : i + tokens_per_frame]),
        )
        for i in range(0, len(names), tokens_per_frame)
    ]
