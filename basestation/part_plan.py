"""The sender half of schemes that send parts: each request's parts, once for all who get the same.

What a request's parts are is the scheme's affair: files, texts, symbols of an image. Parts that are
equal in one group, whoever they are for, are one broadcast (unless sharing is off); all others are
private. So that exact duplicates are found, equal inputs have to give equal parts. How a part becomes
frames is its coder's affair: bytes through LDPC (`byte_plan`), symbols as they are (`symbol_plan`).
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from basestation.encode import AdmittedRequest
from basestation.pipeline import GroupPlan
from shared import parts_map
from shared.air.side_info import on_air
from shared.config import RunConfig
from shared.parts_map import Part, PartsMap
from shared.wire.messages import SideInfo, SymbolFrame


class Payload(Hashable, Sized, Protocol):
    """What a part holds. Equal ones are exact duplicates; the length is what the parts map says."""


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Parts(Generic[P]):
    """Of one request, as `shared.parts_map` has them; a part that it does not have is None."""

    content: P | None = None
    text: P | None = None

    @property
    def sent(self) -> list[P]:
        return [part for part in (self.content, self.text) if part is not None]


PartsOf = Callable[[Sequence[AdmittedRequest]], Mapping[str, Parts[P]]]
"""A group's requests to their parts, by request_id. Raises ValueError for one that cannot be served."""
Place = tuple[int, int, int, int]
"""(frame_id, stream 0 public / 1 private, first token, tokens) of a frame, as side information names it."""


class Coder(Protocol[P]):
    """How parts become frames. `may_add`: their receivers can take apart frames that were added up."""

    @property
    def may_add(self) -> bool: ...

    def frames(
        self,
        part: P,
        stream: str,
        users: tuple[int, ...],
        group_id: int,
        first_frame: int,
        first_token: int,
    ) -> list[list[SymbolFrame]]:
        """For every frame of a part, numbered from `first_frame` on, what each attempt sends.

        One attempt alone repeats itself.
        """

    def digest(self, group_id: int, parts: Parts[P], places: Sequence[Place]) -> str:
        """Of what a request is sent, as its UE works it out by itself."""


class PartPipeline(Generic[P]):
    """`parts_of` is the scheme."""

    def __init__(
        self,
        config: RunConfig,
        fingerprint: str,
        parts_of: PartsOf[P],
        coder: Coder[P],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fingerprint = fingerprint
        self._config = config
        self._parts_of = parts_of
        self._coder = coder
        self._clock = clock

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        """Raises ValueError when a request cannot be served."""
        began = self._clock()
        parts = self._parts_of(requests)
        encoded = self._clock()
        stream = _Streams(self._coder, group_id)
        shared = self._shared(requests, parts)
        for common, users in shared.items():
            stream.put(common, "public", tuple(sorted(users)))
        side, digests = {}, {}
        for r in requests:
            places: list[Place] = []
            own: dict[P, list[Place]] = {}
            maps: list[Part | None] = []
            stream.begin_private()
            for data in (parts[r.request_id].content, parts[r.request_id].text):
                if data is None:
                    maps.append(None)
                    continue
                public = stream.public.get(data)
                if public is None and data not in own:
                    own[data] = stream.put(data, "private", (r.user,))
                places += own[data] if public is None else public
                maps.append(Part(public is None, len(data)))
            request_map = PartsMap(r.task, r.questions_of is not None, *maps)
            side[r.request_id] = self._side_info(r, group_id, request_map, places)
            digests[r.request_id] = self._coder.digest(group_id, parts[r.request_id], places)
        coded = self._clock()
        return GroupPlan(
            group_id=group_id,
            frames=tuple(stream.frames),
            side=side,
            digests=digests,
            stage_ms={"encode": 1e3 * (encoded - began), "channel_code": 1e3 * (coded - encoded)},
            public_tokens=stream.sent["public"],
            private_tokens=stream.sent["private"],
            merged_tokens=0,
            repeats=stream.repeats,
            may_add=self._coder.may_add,
        )

    def _shared(
        self, requests: Sequence[AdmittedRequest], parts: Mapping[str, Parts[P]]
    ) -> dict[P, set[int]]:
        """What two or more requests have in common, and the users that need it."""
        if not self._config.sharing.enabled:
            return {}
        users: dict[P, list[int]] = {}
        for r in requests:
            for data in dict.fromkeys(parts[r.request_id].sent):
                users.setdefault(data, []).append(r.user)
        return {data: set(them) for data, them in users.items() if len(them) > 1}

    def _side_info(
        self, request: AdmittedRequest, group_id: int, request_map: PartsMap, places: Sequence[Place]
    ) -> SideInfo:
        payload, n_bits = parts_map.encode(request_map)
        channel = self._config.channel
        carried: dict[str, Any] = on_air(channel, channel.snr_db_of(request.user), payload, n_bits)
        return SideInfo(
            user=request.user,
            request_id=request.request_id,
            group_id=group_id,
            attempt=0,
            first_use=0,
            deadline_ms=self._config.deadline_ms,
            frames=tuple(places),
            questions_of=request.questions_of,
            **carried,
        )


class _Streams(Generic[P]):
    """The frames of a group, in the order in which parts are put, and where each public part lies."""

    def __init__(self, coder: Coder[P], group_id: int) -> None:
        self._coder = coder
        self._group_id = group_id
        self._next_token = {"public": 0, "private": 0}
        self.sent = {"public": 0, "private": 0}
        self.frames: list[SymbolFrame] = []
        self.repeats: dict[int, tuple[SymbolFrame, ...]] = {}
        self.public: dict[P, list[Place]] = {}

    def begin_private(self) -> None:
        """Another request's private stream."""
        self._next_token["private"] = 0

    def put(self, part: P, stream: str, users: tuple[int, ...]) -> list[Place]:
        """Code a part for its users; where its frames lie."""
        coded = self._coder.frames(
            part, stream, users, self._group_id, len(self.frames), self._next_token[stream]
        )
        self.sent[stream] += len(part)
        places = []
        for first, *others in coded:
            self.frames.append(first)
            if others:
                self.repeats[first.frame_id] = tuple(others)
            self._next_token[stream] += first.n_tokens
            places.append((first.frame_id, int(stream == "private"), first.first_token, first.n_tokens))
        if stream == "public":
            self.public[part] = places
        return places
