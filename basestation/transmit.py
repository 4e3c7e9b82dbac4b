"""Transmit: first transmissions, retransmissions to those who asked, and polls of silent UEs.

Bounds: every frame goes to one user at most `max_attempts` times (`attempt` counts them per user, so the
air's noise of each is its own); a request's side information at most 2 x `max_attempts` times, plus once
for every time its user comes back. Requests for the same public frame that arrive within `MERGE_WINDOW_S`
are served by one transmission.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from basestation.downlink_clock import DownlinkClock
from basestation.pipeline import GroupPlan
from basestation.requests import RequestRecord
from shared.config import RetransmissionConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame

MERGE_WINDOW_S = 0.005  # NACKs for one lost public frame come from several UEs within a few milliseconds
MAX_ATTEMPT_FIELD = 255


@dataclass(slots=True)
class _OpenGroup:
    """What may have to be sent again. `sent[frame_id][user]` counts transmissions to that user."""

    frames: dict[int, SymbolFrame]
    repeats: Mapping[int, tuple[SymbolFrame, ...]]
    side: dict[str, SideInfo]
    open_requests: set[str]
    side_sent: dict[str, int] = field(default_factory=dict)
    sent: dict[int, dict[int, int]] = field(default_factory=dict)
    asked: dict[int, set[int]] = field(default_factory=dict)


class Transmitter:
    """Turns plans and NACKs into messages for the air; the only place that advances the downlink clock."""

    def __init__(self, config: RetransmissionConfig, clock: DownlinkClock) -> None:
        self._config = config
        self._clock = clock
        self._groups: dict[int, _OpenGroup] = {}
        self._flush_s: float | None = None

    @property
    def next_use(self) -> int:
        return self._clock.next_use

    def next_wakeup_s(self) -> float | None:
        return self._flush_s

    def first_transmission(
        self, plan: GroupPlan, requests: Iterable[RequestRecord], reached: Container[str], now_s: float
    ) -> list[Message]:
        """Public frames once, then request by request its private frames and, last, its side information.

        The way to a UE keeps the order, so whoever has the index map knows that what is missing is lost:
        no UE asks again merely because its neighbours' frames take their time.

        Only for `requests`, the group's open ones: frames that none of them needs are not sent, and what is
        not among the names `reached` (its user is absent) gets nothing now, but the poll that follows.
        """
        alive = list(requests)
        users = {r.user for r in alive if r.request_id in reached}
        needed = {named[0] for r in alive for named in plan.side[r.request_id].frames}
        group = _OpenGroup(
            frames={f.frame_id: f for f in plan.frames if f.frame_id in needed},
            repeats=plan.repeats,
            side={r.request_id: plan.side[r.request_id] for r in alive},
            open_requests={r.request_id for r in alive},
        )
        self._groups[plan.group_id] = group
        out: list[Message] = []

        def send(frame: SymbolFrame) -> None:
            receivers = tuple(u for u in frame.users if u in users)
            if receivers and frame.frame_id not in group.sent:
                out.append(self._frame(group, frame, receivers))

        for frame in group.frames.values():
            if frame.stream == "public":
                send(frame)
        for r in (r for r in alive if r.request_id in reached):
            for named in group.side[r.request_id].frames:
                if named[0] in group.frames:
                    send(group.frames[named[0]])
            out.append(self._side(group, r, now_s))
        return out

    def delivered(self, request: RequestRecord) -> bool:
        """Whether its UE was sent the request's side information, and so may be at work on it."""
        group = self._groups.get(request.group_id)
        return group is not None and group.side_sent.get(request.request_id, 0) > 0

    def poll(self, request: RequestRecord, now_s: float, came_back: bool = False) -> list[Message]:
        """The side information again, so that the UE says where it stands; [] when the bound is reached."""
        group = self._groups.get(request.group_id)
        if group is None or request.request_id not in group.side:
            return []
        sent = group.side_sent.get(request.request_id, 0)
        bound = MAX_ATTEMPT_FIELD + 1 if came_back else 2 * self._config.max_attempts
        return [self._side(group, request, now_s)] if sent < bound else []

    def ask(self, group_id: int, user: int, frame_ids: Iterable[int], now_s: float) -> None:
        """A user misses frames: remember it until `flush`. Frames not meant for the user are ignored."""
        group = self._groups.get(group_id)
        if group is None:
            return
        for frame_id in frame_ids:
            frame = group.frames.get(frame_id)
            if frame is None or user not in frame.users:
                continue
            if group.sent.get(frame_id, {}).get(user, 0) < self._config.max_attempts:
                group.asked.setdefault(frame_id, set()).add(user)
                if self._flush_s is None:
                    self._flush_s = now_s + MERGE_WINDOW_S

    def flush(self, now_s: float) -> list[Message]:
        """Retransmit what was asked for, when its merge window has passed.

        Users who miss the same public frame for the same time share one transmission.
        """
        if self._flush_s is None or now_s < self._flush_s:
            return []
        self._flush_s = None
        out: list[Message] = []
        for group in self._groups.values():
            for frame_id, users in sorted(group.asked.items()):
                by_attempt: dict[int, list[int]] = {}
                for user in sorted(users):
                    by_attempt.setdefault(group.sent.get(frame_id, {}).get(user, 0), []).append(user)
                for _, receivers in sorted(by_attempt.items()):
                    out.append(self._frame(group, group.frames[frame_id], tuple(receivers)))
            group.asked.clear()
        return out

    def attempts(self, request: RequestRecord) -> int:
        """The most often any frame of the request was sent to its user (1: no retransmission)."""
        group = self._groups.get(request.group_id)
        if group is None or request.request_id not in group.side:
            return 0
        frame_ids = (f[0] for f in group.side[request.request_id].frames)
        return max((group.sent.get(i, {}).get(request.user, 0) for i in frame_ids), default=0)

    def requests_of(self, group_id: int) -> set[str]:
        """The group's open requests."""
        group = self._groups.get(group_id)
        return set() if group is None else set(group.open_requests)

    def forget(self, request: RequestRecord) -> None:
        """The request is finished; the last one of a group takes the group's frames with it."""
        group = self._groups.get(request.group_id)
        if group is None:
            return
        group.open_requests.discard(request.request_id)
        if not group.open_requests:
            del self._groups[request.group_id]

    def _side(self, group: _OpenGroup, request: RequestRecord, now_s: float) -> SideInfo:
        side = group.side[request.request_id]
        attempt = group.side_sent.get(request.request_id, 0)
        group.side_sent[request.request_id] = attempt + 1
        return replace(
            side,
            attempt=min(attempt, MAX_ATTEMPT_FIELD),
            first_use=self._clock.take(side.uses),
            deadline_ms=max(0, round(1e3 * (request.deadline_s - now_s))),
        )

    def _frame(self, group: _OpenGroup, frame: SymbolFrame, receivers: tuple[int, ...]) -> SymbolFrame:
        counts: Mapping[int, int] = group.sent.setdefault(frame.frame_id, {})
        attempt = counts.get(receivers[0], 0)
        group.sent[frame.frame_id] = {**counts, **dict.fromkeys(receivers, attempt + 1)}
        versions = (frame, *group.repeats.get(frame.frame_id, ()))
        frame = versions[attempt % len(versions)]
        return replace(frame, users=receivers, attempt=attempt, first_use=self._clock.take(frame.uses))
