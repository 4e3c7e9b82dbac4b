"""Receive: frames and index maps of each group as they arrive, and asking again for what is missing.

    assembling --all frames there--> complete
    assembling --still missing after the last NACK--> given up (the request is decoded with erasures)

The base station sends a request's index map after its frames, and the way here keeps the order: what is
missing when the map is there is lost, or was delayed by a fault. What cannot be read, or is too faint, is
asked for too where copies are combined (`userequipment.group_frames`). A UE asks `nack_after_ms` after the
last arrival, then after twice that, four times, ... (at most eight times), and at most
2 x (max_attempts - 1) times: each retransmission may be lost, or the NACK that asked for it. Frames without
a map say nothing yet, so the map is asked for only after eight times as long.

Memory is bounded: `max_bytes` of frames, `MAX_GROUPS` groups, `max_requests` open requests.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.config import RetransmissionConfig
from shared.wire.messages import Feedback, SideInfo, SymbolFrame
from userequipment.feedback import complete_feedback, nack_feedback, no_side_feedback
from userequipment.group_frames import Combining, GroupFrames, Reception, size_of

MAX_GROUPS = 256
_MAX_BACKOFF = 8

Quality = Callable[[Sequence[SymbolFrame]], float]
"""The SNR in dB that copies of one frame have together."""


@dataclass(slots=True)
class _Waiting:
    """One request whose frames are not all there."""

    side: SideInfo
    deadline_s: float
    nacks: int = 0
    nacked_s: float = 0.0


@dataclass(slots=True)
class _Group:
    """Frames of one group for this user, shared by its requests there."""

    last_arrival_s: float
    frames: GroupFrames
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    had_side_info: bool = False
    side_nacks: int = 0
    side_nacked_s: float = 0.0


class Receiver:
    """Data in; `Feedback` to send and `Reception`s to decode out."""

    def __init__(
        self,
        user: int,
        config: RetransmissionConfig,
        max_bytes: int,
        max_requests: int,
        keep_s: float,
        quality: Quality | None = None,
    ) -> None:
        """With `quality`, copies of a frame are kept until that is the configuration's SNR, or 0 dB."""
        least_snr_db = 0.0 if config.least_snr_db is None else config.least_snr_db
        self._combining = None if quality is None else Combining(quality, least_snr_db, config.max_attempts)
        self._user = user
        self._nack_s = config.nack_after_ms / 1e3
        self._max_nacks = 2 * (config.max_attempts - 1)
        self._linger_s = config.feedback_timeout_ms / 1e3
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self._bytes = 0
        self._groups: OrderedDict[int, _Group] = OrderedDict()
        self.overflows = 0

    def __len__(self) -> int:
        """Number of requests that wait for frames."""
        return sum(len(g.waiting) for g in self._groups.values())

    def on_side_info(self, side: SideInfo, now_s: float) -> list[Feedback | Reception]:
        """A new request, or a poll (a higher attempt) for one that waits: say what is missing.

        A request that comes again in a later group waits there alone: the base station has encoded it anew.
        """
        known = next((g for g, group in self._groups.items() if side.request_id in group.waiting), None)
        if known is not None and known > side.group_id:
            return []
        if known is not None and known < side.group_id:
            del self._groups[known].waiting[side.request_id]
        group = self._group(side.group_id, now_s)
        waiting = group.waiting.get(side.request_id)
        if waiting is not None:
            if side.attempt <= waiting.side.attempt:
                return []  # the same transmission twice
            waiting.side = replace(side, payload=waiting.side.payload)  # the map is known
            return self._conclude(side.group_id, now_s) or [self._nack(group, waiting, now_s)]
        if len(self) >= self._max_requests:
            self.overflows += 1
            return []
        group.last_arrival_s = now_s
        group.had_side_info = True
        group.waiting[side.request_id] = _Waiting(side, now_s + side.deadline_ms / 1e3)
        return self._conclude(side.group_id, now_s)

    def on_frame(self, frame: SymbolFrame, now_s: float) -> list[Feedback | Reception]:
        """Keep the first copy of every frame, also when its index map has not arrived yet; or all copies."""
        group = self._group(frame.group_id, now_s)
        group.last_arrival_s = now_s
        if not group.frames.wants(frame) or not self._make_room(size_of(frame), frame.group_id):
            return []
        self._bytes += size_of(frame)
        group.frames.keep(frame)
        return self._conclude(frame.group_id, now_s)

    def has(self, frame: SymbolFrame) -> bool:
        """Whether this very transmission is kept: the frame is a copy, by a fault or by somebody's doing."""
        group = self._groups.get(frame.group_id)
        return group is not None and group.frames.has(frame)

    def cancel(self, request_id: str) -> bool:
        """Forget a request; True if it was waiting."""
        return any(g.waiting.pop(request_id, None) is not None for g in self._groups.values())

    def attached_anew(self, now_s: float) -> None:
        """NACKs may have gone into a dead link: ask from the start (the base station keeps its own bound)."""
        for group in self._groups.values():
            group.side_nacks, group.side_nacked_s = 0, now_s
            for waiting in group.waiting.values():
                waiting.nacks, waiting.nacked_s = 0, now_s

    def on_tick(self, now_s: float, heard_s: float) -> list[Feedback | Reception]:
        """NACKs that are due, requests to give up, and groups to forget.

        `heard_s`: when the emulator last gave a sign of life; nothing is given up on a link that is silent.
        """
        out: list[Feedback | Reception] = []
        for group_id, group in list(self._groups.items()):
            for name, waiting in list(group.waiting.items()):
                if now_s >= waiting.deadline_s:
                    del group.waiting[name]  # the base station has expired it
                elif now_s >= self._nack_due_s(group, waiting.nacks, waiting.nacked_s):
                    if waiting.nacks < self._max_nacks:
                        out.append(self._nack(group, waiting, now_s))
                    elif heard_s >= waiting.nacked_s:
                        del group.waiting[name]
                        out.append(group.frames.reception(waiting.side))
            if self._asks_for_side_info(group) and now_s >= self._side_nack_due_s(group):
                out.append(self._side_nack(group_id, group, now_s))
            if not group.waiting and now_s >= self._forget_s(group):
                self._forget(group_id)
        return out

    def next_wakeup_s(self, heard_s: float) -> float | None:
        return min(self._wakeups(heard_s), default=None)

    def _wakeups(self, heard_s: float) -> Iterator[float]:
        for group in self._groups.values():
            for waiting in group.waiting.values():
                yield waiting.deadline_s
                if waiting.nacks < self._max_nacks or heard_s >= waiting.nacked_s:
                    yield self._nack_due_s(group, waiting.nacks, waiting.nacked_s)
            if self._asks_for_side_info(group):
                yield self._side_nack_due_s(group)
            if not group.waiting:
                yield self._forget_s(group)

    def _nack_due_s(self, group: _Group, nacks: int, nacked_s: float) -> float:
        """Since the last arrival or the last NACK; each NACK waits twice as long as the one before."""
        return max(group.last_arrival_s, nacked_s) + min(2**nacks, _MAX_BACKOFF) * self._nack_s

    def _side_nack_due_s(self, group: _Group) -> float:
        return max(group.last_arrival_s, group.side_nacked_s) + _MAX_BACKOFF * self._nack_s

    def _asks_for_side_info(self, group: _Group) -> bool:
        """Frames without any index map. (One map of several missing is the base station's poll to mend.)"""
        return bool(group.frames) and not group.had_side_info and group.side_nacks < self._max_nacks

    def _forget_s(self, group: _Group) -> float:
        """Frames linger for a poll's time, as another request of the group may still need them."""
        return group.last_arrival_s + (self._linger_s if group.had_side_info else self._keep_s)

    def _conclude(self, group_id: int, now_s: float) -> list[Feedback | Reception]:
        """Requests of the group that have everything now: acknowledge and hand over."""
        group = self._groups[group_id]
        out: list[Feedback | Reception] = []
        for name, waiting in list(group.waiting.items()):
            if not group.frames.missing(waiting.side):
                del group.waiting[name]
                out += [complete_feedback(waiting.side), group.frames.reception(waiting.side)]
        return out

    @staticmethod
    def _nack(group: _Group, waiting: _Waiting, now_s: float) -> Feedback:
        waiting.nacks += 1
        waiting.nacked_s = now_s
        return nack_feedback(waiting.side, waiting.nacks, group.frames.missing(waiting.side))

    def _side_nack(self, group_id: int, group: _Group, now_s: float) -> Feedback:
        group.side_nacks += 1
        group.side_nacked_s = now_s
        return no_side_feedback(self._user, group_id, group.side_nacks)

    def _group(self, group_id: int, now_s: float) -> _Group:
        group = self._groups.get(group_id)
        if group is None:
            while len(self._groups) >= MAX_GROUPS:
                self._forget(next((g for g, v in self._groups.items() if not v.waiting), min(self._groups)))
                self.overflows += 1
            group = self._groups[group_id] = _Group(now_s, GroupFrames(self._combining))
        return group

    def _make_room(self, size: int, for_group: int) -> bool:
        """Let go of the oldest groups that nothing waits for; False if that is not enough."""
        idle = [g for g, v in self._groups.items() if not v.waiting and g != for_group]
        while self._bytes + size > self._max_bytes and idle:
            self._forget(idle.pop(0))
            self.overflows += 1
        fits = self._bytes + size <= self._max_bytes
        self.overflows += not fits
        return fits

    def _forget(self, group_id: int) -> None:
        self._bytes -= self._groups.pop(group_id).frames.bytes
