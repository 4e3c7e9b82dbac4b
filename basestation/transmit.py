"""Transmit: first transmissions, retransmissions to those who asked, and polls of silent UEs.

A public frame that is asked for is sent once for all who lack it. So the base station waits until everybody
has said what is missing, but not for long; who has said nothing by then is sent what others asked for. Frames
that different users lack are added up where each has the others (`added_up`).

Bounds: every frame goes to one user at most `max_attempts` times (`attempt` counts them per user, so the
air's noise of each is its own), and never for the last time unasked; a request's side information at most
2 x `max_attempts` times, plus once for every time its user comes back.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from basestation.added_up import Adding, Repeat, together
from basestation.downlink_clock import DownlinkClock
from basestation.pipeline import GroupPlan
from basestation.requests import RequestRecord
from shared.config import RetransmissionConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame

LONGEST_WAIT = 1.0
"""Times that after which a UE asks. Waiting until a lost NACK is repeated (2 to 3) saves no more."""
MAX_ATTEMPT_FIELD = 255


@dataclass(slots=True)
class _OpenGroup:
    """What may have to be sent again. `sent[frame_id][user]` counts transmissions to that user.

    `having[frame_id]`: users who have said that they have it, since they last said otherwise. `said`: who has
    said what is missing since it was last sent anything. `flush_s`: when what was `asked` for is sent again.
    """

    frames: dict[int, SymbolFrame]
    repeats: Mapping[int, tuple[SymbolFrame, ...]]
    side: dict[str, SideInfo]
    open_requests: set[str]
    may_add: bool
    side_sent: dict[str, int] = field(default_factory=dict)
    sent: dict[int, dict[int, int]] = field(default_factory=dict)
    asked: dict[int, set[int]] = field(default_factory=dict)
    having: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    said: set[int] = field(default_factory=set)
    flush_s: float | None = None

    def attempts(self, frame_id: int, user: int) -> int:
        return self.sent.get(frame_id, {}).get(user, 0)

    def open_users(self) -> set[int]:
        """Users who were sent side information and have not answered, so may say what is missing."""
        return {self.side[name].user for name in self.open_requests if name in self.side_sent}

    def nobody_else_asks(self) -> bool:
        """Whether everybody has said what is missing, or what is asked for is nobody else's."""
        return self.open_users() <= self.said or all(self.frames[i].stream != "public" for i in self.asked)


class Transmitter:
    """Turns plans and NACKs into messages for the air; the only place that advances the downlink clock."""

    def __init__(
        self, config: RetransmissionConfig, clock: DownlinkClock, adding: Adding | None = None
    ) -> None:
        """`adding` None: every frame is sent again by itself."""
        self._config = config
        self._clock = clock
        self._adding = adding
        self._longest_wait_s = LONGEST_WAIT * config.nack_after_ms / 1e3
        self._groups: dict[int, _OpenGroup] = {}

    @property
    def next_use(self) -> int:
        return self._clock.next_use

    def next_wakeup_s(self) -> float | None:
        return min((g.flush_s for g in self._groups.values() if g.flush_s is not None), default=None)

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
            may_add=plan.may_add,
        )
        self._groups[plan.group_id] = group
        out: list[Message] = []

        def send(frame: SymbolFrame) -> None:
            receivers = tuple(u for u in frame.users if u in users)
            if receivers and frame.frame_id not in group.sent:
                out.append(self._frame(group, (frame,), receivers))

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

    def heard(self, request: RequestRecord, missing: Sequence[int], now_s: float) -> None:
        """Its UE says which of the request's frames it lacks; it has all others.

        They are remembered until `flush`, but for those that it was sent as often as it may be.
        """
        group = self._groups.get(request.group_id)
        if group is None or request.request_id not in group.side:
            return
        group.said.add(request.user)
        for frame_id, *_ in group.side[request.request_id].frames:
            if frame_id not in missing:
                group.having[frame_id].add(request.user)
                continue
            group.having[frame_id].discard(request.user)
            if group.attempts(frame_id, request.user) < self._config.max_attempts:
                group.asked.setdefault(frame_id, set()).add(request.user)
        if group.asked and group.nobody_else_asks():
            group.flush_s = now_s
        elif group.asked and group.flush_s is None:
            group.flush_s = now_s + self._longest_wait_s

    def flush(self, now_s: float) -> list[Message]:
        """Retransmit what was asked for, in the groups in which it is time."""
        due = [g for g in self._groups.values() if g.flush_s is not None and now_s >= g.flush_s]
        return [message for group in due for message in self._repeats(group)]

    def _repeats(self, group: _OpenGroup) -> list[Message]:
        lacking: dict[Repeat, set[int]] = {}
        for frame_id, users in sorted(group.asked.items()):
            for user in users & group.open_users():
                lacking.setdefault((frame_id, group.attempts(frame_id, user)), set()).add(user)
        group.asked.clear()
        group.flush_s = None
        out: list[Message] = []
        for repeats in self._combined(group, lacking):
            asking = [lacking[repeat] | self._silent(group, *repeat) for repeat in repeats]
            receivers = set().union(*asking)
            group.said -= receivers
            frames = [group.frames[frame_id] for frame_id, _ in repeats]
            out.append(self._frame(group, frames, tuple(sorted(receivers))))
        return out

    def _combined(
        self, group: _OpenGroup, lacking: Mapping[Repeat, set[int]]
    ) -> Iterable[tuple[Repeat, ...]]:
        """What one transmission carries. A frame that a user was never sent goes by itself."""
        adding = self._adding
        if adding is None or not group.may_add:
            return [(repeat,) for repeat in sorted(lacking)]
        alone = [
            (frame_id, attempt)
            for frame_id, attempt in lacking
            if not attempt or group.frames[frame_id].stream != "public"
        ]
        others = {repeat: users for repeat, users in lacking.items() if repeat not in alone}
        return [*((repeat,) for repeat in alone), *together(others, group.having, group.frames, adding.most)]

    def _silent(self, group: _OpenGroup, frame_id: int, attempt: int) -> set[int]:
        """Who was sent a frame as often, and has not said yet whether it came."""
        if not attempt or attempt + 1 >= self._config.max_attempts:
            return set()
        waiting = group.open_users().intersection(group.frames[frame_id].users)
        return {
            user for user in waiting - group.having[frame_id] if group.attempts(frame_id, user) == attempt
        }

    def attempts(self, request: RequestRecord) -> int:
        """The most often any frame of the request was sent to its user (1: no retransmission)."""
        group = self._groups.get(request.group_id)
        if group is None or request.request_id not in group.side:
            return 0
        frame_ids = (f[0] for f in group.side[request.request_id].frames)
        return max((group.attempts(i, request.user) for i in frame_ids), default=0)

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

    def _frame(
        self, group: _OpenGroup, frames: Sequence[SymbolFrame], receivers: tuple[int, ...]
    ) -> SymbolFrame:
        """Frames on the air: one, or several added up, which are an attempt at each of them."""
        first = frames[0].frame_id
        attempt = max(group.attempts(first, user) for user in receivers)
        for frame in frames:
            counts = group.sent.setdefault(frame.frame_id, {})
            for user in set(receivers).intersection(frame.users):
                counts[user] = 1 + (attempt if frame.frame_id == first else counts.get(user, 0))
        versions = (frames[0], *group.repeats.get(first, ()))
        sent = versions[attempt % len(versions)]
        if len(frames) > 1:
            assert self._adding is not None
            sent = self._adding.add(frames)
        return replace(sent, users=receivers, attempt=attempt, first_use=self._clock.take(sent.uses))
