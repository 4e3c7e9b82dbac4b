"""Delivery: a planned group goes on the air and is followed until every request of it has ended.

    on air --Feedback(missing)--> resent ... --Feedback(complete)--> the UE decodes --Answer--> ended

A UE that says nothing is polled with its side information; a UE that comes back is polled at once. One whose
process had ended is given its requests one at a time (`quarantine`).
"""

from collections.abc import Sequence
from typing import Any

from basestation.endings import Endings
from basestation.pipeline import GroupPlan
from basestation.presence import Presence
from basestation.quarantine import Quarantine
from basestation.requests import Event, RequestBook, RequestRecord, State
from basestation.transmit import Transmitter
from shared.actions import Action, Record, Send
from shared.semantic_cache import KnownImage
from shared.wire.messages import Feedback, Message

_POLL_FACTOR = 1.5  # times `feedback_s`, after which a UE by itself repeats an answer that was lost
_DECODING_POLL_FACTOR = 4  # a UE that has everything is busy, or its answers get lost: ask it more rarely


class Delivery:
    """`feedback_s`: after which UEs repeat answers; one that is silent for longer is polled."""

    def __init__(
        self,
        book: RequestBook,
        transmitter: Transmitter,
        presence: Presence,
        endings: Endings,
        feedback_s: float,
    ) -> None:
        self._book = book
        self._transmitter = transmitter
        self._presence = presence
        self._endings = endings
        self._feedback_s = feedback_s
        self._silence_s = _POLL_FACTOR * feedback_s
        self.quarantine = Quarantine()

    def next_wakeup_s(self) -> float | None:
        times = [t for r in self._book for t in (r.deadline_s, r.next_poll_s) if t is not None]
        flush_s = self._transmitter.next_wakeup_s()
        return min(times if flush_s is None else [*times, flush_s], default=None)

    def on_tick(self, now_s: float) -> list[Action]:
        """Deadlines, polls, and the retransmissions that were asked for."""
        actions = [a for request in self._book for a in self._check_timers(request, now_s)]
        return actions + self._put_on_air(self._transmitter.flush(now_s), "resent")

    def transmit(self, plan: GroupPlan, ready: list[RequestRecord], now_s: float) -> list[Action]:
        """First transmission of the group's requests that are still open."""
        names = [r.request_id for r in ready]
        actions: list[Action] = [
            Record(
                "encoded",
                {
                    "group_id": plan.group_id,
                    "requests": names,
                    "stage_ms": plan.stage_ms,
                    "public_tokens": plan.public_tokens,
                    "private_tokens": plan.private_tokens,
                    "merged_tokens": plan.merged_tokens,
                },
            )
        ]
        for r in ready:
            r.step(Event.TRANSMITTED)
            if r.cached is None:
                r.image = None  # the plan holds all that is needed from here on
            r.transmitted_s = now_s
            r.next_poll_s = now_s + self._silence_s
            r.stage_ms = {"queue": max(0.0, 1e3 * (now_s - r.admitted_s) - sum(plan.stage_ms.values()))}
            r.stage_ms |= plan.stage_ms
            fields = {"request_id": r.request_id, "user": r.user}
            fields |= {"digest": plan.digests.get(r.request_id, "")}
            if r.request_id in plan.layouts:
                fields |= {"image_tokens": plan.layouts[r.request_id]}
            if r.cached is not None:
                fields |= {"image_of": r.cached.identity}
            actions.append(Record("tokens", fields))
        if not ready:
            return actions
        present = self._presence.present
        reached = {r.request_id for r in ready if r.user in present and not self.quarantine.holds(r)}
        messages = self._transmitter.first_transmission(plan, ready, reached, now_s)
        return actions + self._put_on_air(messages, "sent", group_id=plan.group_id)

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        if feedback.side_missing:
            # The UE has frames of a group but no index map, so it cannot name the request.
            for name in self._transmitter.requests_of(feedback.group_id):
                request = self._book.get(name)
                if request is not None and request.user == feedback.user and request.state is State.RECEIVING:
                    request.next_poll_s = now_s
            return
        request = self._request_of(feedback)
        if request is None:
            return
        if feedback.complete:
            self._transmitter.heard(request, (), now_s)
            if request.step(Event.HAS_ALL):
                request.next_poll_s = now_s + _DECODING_POLL_FACTOR * self._feedback_s
        elif request.step(Event.MISSES):
            request.next_poll_s = now_s + self._silence_s
            self._transmitter.heard(request, feedback.missing_frames, now_s)

    def on_cache_miss(self, feedback: Feedback) -> tuple[RequestRecord, KnownImage] | None:
        """The request, to be encoded anew with its image, and what its UE lacks; None where it has ended."""
        request = self._request_of(feedback)
        if request is None or request.cached is None or not request.step(Event.CACHE_MISS):
            return None
        self._transmitter.forget(request)
        missing, request.cached, request.next_poll_s = request.cached, None, None
        return request, missing

    def _request_of(self, feedback: Feedback) -> RequestRecord | None:
        """Open or finished; None where the feedback is of another user or of an earlier transmission."""
        request = self._book.get(feedback.request_id)
        if request is None or request.user != feedback.user or request.group_id != feedback.group_id:
            return None
        return request

    def _check_timers(self, request: RequestRecord, now_s: float) -> list[Action]:
        if now_s >= request.deadline_s:
            away = self._presence.opened and request.user not in self._presence.present
            return self._endings.deadline(request, away, now_s)
        if request.next_poll_s is None or now_s < request.next_poll_s:
            return []
        if request.user not in self._presence.present or self.quarantine.holds(request):
            request.next_poll_s = None  # asked again when it comes back, or when it is its turn
            return []
        factor = _DECODING_POLL_FACTOR if request.state is State.DECODING else _POLL_FACTOR
        polls = self._transmitter.poll(request, now_s)
        request.next_poll_s = now_s + factor * self._feedback_s if polls else None
        return self._put_on_air(polls, "polled", request_id=request.request_id)

    def user_came(self, user: int, died: bool, now_s: float) -> list[Action]:
        """Ask a UE that attached, perhaps with no memory, where it stands with each open request.

        `died`: it is another process than before, whose end one of its requests may have caused.
        """
        actions = self._user_died(user, now_s) if died else []
        came = [r for r in self._book.open_of(user) if r.step(Event.UE_CAME_BACK)]
        if self.quarantine.concerns(user):
            self.quarantine.again(user)
            return actions
        return actions + [a for r in came for a in self._poll_at_once(r, now_s)]

    def release(self, now_s: float) -> list[Action]:
        """What a quarantine has held, and need not any more."""
        return [a for r in self.quarantine.due(self._book) for a in self._poll_at_once(r, now_s)]

    def _user_died(self, user: int, now_s: float) -> list[Action]:
        """Those that the UE had in full come first: it may have been at work on one of them."""
        had = [r for r in self._book.open_of(user) if self._transmitter.delivered(r)]
        had = [r for r in had if r.state in (State.RECEIVING, State.DECODING)]
        had = [r for r in had if not self.quarantine.holds(r)]
        had.sort(key=lambda r: r.state is not State.DECODING)
        poison = self.quarantine.died(had)
        actions: list[Action] = [
            Record("suspect", {"request_id": r.request_id, "user": user, "deaths": r.ue_deaths}) for r in had
        ]
        return actions + [a for r in poison for a in self._endings.poison(r, now_s)]

    def _poll_at_once(self, request: RequestRecord, now_s: float) -> list[Action]:
        """Unless it is not on the air, or its user is away: then the poll that follows its return serves."""
        if request.state is not State.RECEIVING or request.user not in self._presence.present:
            return []
        polls = self._transmitter.poll(request, now_s, came_back=True)
        request.next_poll_s = now_s + self._silence_s
        return self._put_on_air(polls, "polled", request_id=request.request_id)

    def _put_on_air(self, messages: Sequence[Message], event: str, **fields: Any) -> list[Action]:
        if not messages:
            return []
        fields |= {"messages": len(messages), "next_use": self._transmitter.next_use}
        return [Record(event, fields), *(Send("ce", m) for m in messages)]
