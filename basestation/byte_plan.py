"""The sender half of schemes that send bytes: each request's parts, once for all who get the same, coded.

What a request's parts are is the scheme's affair. Parts of equal bytes in one group, whoever they are for,
are one broadcast, at the modulation and rate of its weakest receiver (unless sharing is off); all others are
private. So that exact duplicates are found, equal inputs have to give equal bytes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from basestation.channel_code import mcs_for
from basestation.encode import AdmittedRequest
from basestation.pipeline import GroupPlan
from shared import parts_map
from shared.air import byte_blocks
from shared.air.side_info import on_air
from shared.config import RunConfig
from shared.parts_map import Part, PartsMap
from shared.token_digest import bytes_digest
from shared.wire.messages import SideInfo, SymbolFrame


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one request, as `shared.parts_map` has them; a part that it does not have is None."""

    content: bytes | None = None
    text: bytes | None = None

    @property
    def sent(self) -> list[bytes]:
        return [part for part in (self.content, self.text) if part is not None]


PartsOf = Callable[[Sequence[AdmittedRequest]], Mapping[str, Parts]]
"""A group's requests to their parts, by request_id. Raises ValueError for one that cannot be served."""
Place = tuple[int, int, int, int]
"""(frame_id, stream 0 public / 1 private, first byte, bytes) of a block, as side information names it."""


class BytePipeline:
    """`parts_of` is the scheme."""

    def __init__(
        self,
        config: RunConfig,
        fingerprint: str,
        parts_of: PartsOf,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fingerprint = fingerprint
        self._config = config
        self._parts_of = parts_of
        self._clock = clock

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        """Raises ValueError when a request cannot be served."""
        began = self._clock()
        parts = self._parts_of(requests)
        encoded = self._clock()
        stream = _Streams(self._config, group_id)
        shared = self._shared(requests, parts)
        for common, users in shared.items():
            stream.put(common, "public", tuple(sorted(users)))
        side = {}
        for r in requests:
            places: list[Place] = []
            own: dict[bytes, list[Place]] = {}
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
        coded = self._clock()
        return GroupPlan(
            group_id=group_id,
            frames=tuple(stream.frames),
            side=side,
            digests={
                r.request_id: bytes_digest(group_id, parts[r.request_id].content, parts[r.request_id].text)
                for r in requests
            },
            stage_ms={"encode": 1e3 * (encoded - began), "channel_code": 1e3 * (coded - encoded)},
            public_tokens=stream.bytes_in["public"],
            private_tokens=stream.bytes_in["private"],
            merged_tokens=0,
            repeats=stream.repeats,
        )

    def _shared(
        self, requests: Sequence[AdmittedRequest], parts: Mapping[str, Parts]
    ) -> dict[bytes, set[int]]:
        """What two or more requests have in common, and the users that need it."""
        if not self._config.sharing.enabled:
            return {}
        users: dict[bytes, list[int]] = {}
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


class _Streams:
    """The frames of a group, in the order in which parts are put, and where each public part lies."""

    def __init__(self, config: RunConfig, group_id: int) -> None:
        self._config = config
        self._group_id = group_id
        self._next_byte = {"public": 0, "private": 0}
        self.bytes_in = {"public": 0, "private": 0}
        self.frames: list[SymbolFrame] = []
        self.repeats: dict[int, tuple[SymbolFrame, ...]] = {}
        self.public: dict[bytes, list[Place]] = {}

    def begin_private(self) -> None:
        """Another request's private stream."""
        self._next_byte["private"] = 0

    def put(self, data: bytes, stream: str, users: tuple[int, ...]) -> list[Place]:
        """Code a part for its users; where its blocks lie."""
        blocks = byte_blocks.frames_of(
            data,
            self._config.channel,
            mcs_for(users, self._config.channel),
            self._config.retransmission.max_attempts,
            stream=stream,
            users=users,
            group_id=self._group_id,
            first_frame=len(self.frames),
            first_byte=self._next_byte[stream],
        )
        self.bytes_in[stream] += len(data)
        places = []
        for first, *others in blocks:
            self.frames.append(first)
            self.repeats[first.frame_id] = tuple(others)
            self._next_byte[stream] += first.n_tokens
            places.append((first.frame_id, int(stream == "private"), first.first_token, first.n_tokens))
        if stream == "public":
            self.public[data] = places
        return places
