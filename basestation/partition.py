"""Partition: public tokens once for the users that need them, private tokens per request, a map for each.

The public stream of a group is numbered as maps can tell it in few bits. Image tokens of users who share any
follow each other in the order of the places that use them first; text tokens are neighbours where the same
users need them. A frame is for all who need any of its tokens; it holds image tokens or text tokens, which
may differ in channel uses. Frames are numbered within the group: public ones first, then request by request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from basestation.compare import Comparison, Key, TokenSequence
from shared.index_map import known_positions
from shared.token_runs import TokenState

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
    first_place: dict[Key, int] = {}
    for sequence, names in zip(sequences, comparison.keys, strict=True):
        for position, name in enumerate(names):
            if name is not None:
                kind_of.setdefault(name, "image" if position < sequence.image_length else "text")
                first_place[name] = min(position, first_place.get(name, position))
        for name in _sent(names):
            users_of.setdefault(name, set()).add(sequence.user)
            uses_of[name] = uses_of.get(name, 0) + 1

    public = [name for name, count in uses_of.items() if count >= 2]
    images = sorted((name for name in public if kind_of[name] == "image"), key=first_place.__getitem__)
    texts = [name for name in public if kind_of[name] == "text"]
    frames: list[FramePlan] = []
    place: dict[Key, int] = {}
    streams: list[tuple[Kind, list[list[Key]]]] = [
        ("image", _connected(images, users_of)),
        ("text", _of_same_users(texts, users_of)),
    ]
    for kind, parts in streams:
        for shared in parts:
            first = len(place)
            place.update((name, first + i) for i, name in enumerate(shared))
            frames += _cut("public", users_of, "", kind, first, shared, tokens_per_frame, len(frames))

    positions: dict[str, list[tuple[TokenState, int]]] = {}
    private_tokens = 0
    for sequence, names in zip(sequences, comparison.keys, strict=True):
        own_place: dict[Key, int] = {}
        for kind in KINDS:
            own = [name for name in _sent(names) if name not in place and kind_of[name] == kind]
            first = len(own_place)
            own_place.update((name, first + i) for i, name in enumerate(own))
            frames += _cut(
                "private", users_of, sequence.request_id, kind, first, own, tokens_per_frame, len(frames)
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


def _connected(names: Sequence[Key], users_of: Mapping[Key, set[int]]) -> list[list[Key]]:
    """Parts between which no user has tokens in common, each in the given order."""
    parts: list[tuple[set[int], list[int]]] = []
    for number, name in enumerate(names):
        joined = [part for part in parts if not part[0].isdisjoint(users_of[name])]
        if not joined:
            parts.append((set(users_of[name]), [number]))
            continue
        (users, numbers), *others = joined
        users |= users_of[name]
        numbers.append(number)
        for other in others:
            users |= other[0]
            numbers += other[1]
            parts.remove(other)
    return [[names[number] for number in sorted(numbers)] for _, numbers in parts]


def _of_same_users(names: Sequence[Key], users_of: Mapping[Key, set[int]]) -> list[list[Key]]:
    parts: dict[frozenset[int], list[Key]] = {}
    for name in names:
        parts.setdefault(frozenset(users_of[name]), []).append(name)
    return list(parts.values())


def _cut(
    stream: str,
    users_of: Mapping[Key, set[int]],
    request_id: str,
    kind: Kind,
    first_token: int,
    names: list[Key],
    tokens_per_frame: int,
    first_frame: int,
) -> list[FramePlan]:
    frames: list[FramePlan] = []
    for i in range(0, len(names), tokens_per_frame):
        tokens = tuple(names[i : i + tokens_per_frame])
        users = tuple(sorted(set().union(*(users_of[name] for name in tokens))))
        number = first_frame + len(frames)
        frames.append(FramePlan(number, stream, users, request_id, kind, first_token + i, tokens))
    return frames
