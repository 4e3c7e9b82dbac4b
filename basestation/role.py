"""The base station as a role: events in, actions out; see `shared.actions` for the calling convention.

intake -> group job (encode, compare, partition, channel code) -> transmit -> the UE's answer -> ending
"""

from collections.abc import Sequence
from typing import Any

from basestation.cache_book import CacheBook
from basestation.delivery import Delivery
from basestation.downlink_clock import DownlinkClock
from basestation.endings import Endings
from basestation.group_job import GroupOutcome, Pipeline, run_group
from basestation.intake import Candidate, ImageLoader, Intake
from basestation.pipeline import AdmittedRequest
from basestation.presence import Presence
from basestation.recovery import Resume
from basestation.requests import Event, RequestBook, RequestRecord
from basestation.scoreboard import PROGRESS_EVERY_S, Scoreboard
from basestation.transmit import Transmitter
from basestation.workload_file import WorkloadRequest
from shared.actions import Action, Compute, Record, Send, Tell
from shared.liveness import PeerSession
from shared.process_fault_config import late_users
from shared.spec import RoleSpec
from shared.wire.messages import (
    BASE_STATION,
    Answer,
    Ask,
    Cancel,
    Command,
    Done,
    Feedback,
    Message,
    PeerState,
    Progress,
    UplinkRequest,
    WorkloadDone,
)


class BaseStation:
    """`load_image` reads a workload's image file and raises `BadInput`; `resume` continues a crashed one."""

    def __init__(
        self,
        spec: RoleSpec,
        pipeline: Pipeline,
        workload: Sequence[WorkloadRequest],
        fingerprint: str,
        load_image: ImageLoader,
        pid: int = 0,
        resume: Resume | None = None,
    ) -> None:
        config, resume = spec.config, resume or Resume()
        self._incarnation = spec.incarnation
        self._limits = config.limits
        self._pipeline = pipeline
        self._session = PeerSession(spec, fingerprint, pid)
        self._presence = Presence(
            config.users, config.liveness.timeout_ms / 1e3, late_users(config.process_faults)
        )
        self._intake = Intake(config, workload, self._presence, load_image, resume)
        self._book = RequestBook()
        transmitter = Transmitter(config.retransmission, DownlinkClock(resume.next_use))
        self._score = Scoreboard()
        # Another process than an earlier one's: its versions begin elsewhere.
        self._cache = CacheBook(config.cache.images, first_version=spec.incarnation * 997)
        self._endings = Endings(self._book, transmitter, self._score, self._cache)
        self._delivery = Delivery(
            self._book,
            transmitter,
            self._presence,
            self._endings,
            config.retransmission.feedback_timeout_ms / 1e3,
        )
        self._encoding: dict[str, list[RequestRecord]] = {}
        self._next_group = resume.next_group
        self._left_open = resume.left_open
        self._predecessors_uplink = resume.uplink
        self._told_workload_done = self._told_drained = self._quiet = False
        self._next_progress_s = 0.0

    # --- events ---------------------------------------------------------------------------------------

    def on_message(self, message: Message, now_s: float, source: str = "ce") -> list[Action]:
        actions = self._session.on_message(message, now_s)
        if self._session.attached:
            self._presence.open(now_s)
        if isinstance(message, PeerState):
            if message.state == "attached":
                self._cache.attached(message.user, message.incarnation)
            if self._presence.update(message, now_s):
                actions += self._delivery.user_came(message.user, now_s)
        elif isinstance(message, Feedback) and message.cache_miss:
            actions += self._on_cache_miss(message)
        elif isinstance(message, Feedback):
            self._delivery.on_feedback(message, now_s)
        elif isinstance(message, Answer):
            actions += self._endings.on_answer(message, now_s)
        elif isinstance(message, UplinkRequest):
            actions += self._on_uplink_request(message, now_s)
        return actions + self._advance(now_s)

    def on_control(self, message: Message, now_s: float) -> list[Action]:
        actions: list[Action] = []
        if isinstance(message, Command) and message.verb == "start":
            self._intake.start()
        elif isinstance(message, Command) and message.verb == "drain":
            self._intake.drain()
        elif isinstance(message, Ask):
            actions += self._admit(
                self._intake.from_outside(
                    message.user,
                    message.task,
                    message.text,
                    bytes(message.payload) or None,
                    now_s,
                    len(self._book),
                    ask_id=message.ask_id,
                ),
                now_s,
            )
        return actions + self._advance(now_s)

    def on_tick(self, now_s: float) -> list[Action]:
        if self._quiet:
            return []
        actions = self._session.on_tick(now_s) + self._close_predecessors_requests(now_s)
        if not self._session.attached:
            self._presence.lose_all(now_s)
        actions += self._delivery.on_tick(now_s)
        actions += self._advance(now_s)
        if now_s >= self._next_progress_s:
            self._next_progress_s = now_s + PROGRESS_EVERY_S
            values = self._score.progress(len(self._book), self._presence.present)
            actions.append(Tell(Progress(role="bs", user=BASE_STATION, values=values)))
        return actions

    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]:
        alive = [r for r in self._encoding.pop(key) if not r.state.terminal]
        if self._quiet:
            return []
        if isinstance(result, GroupOutcome):
            actions = self._on_encoded(result, alive, now_s)
        elif len(alive) > 1:
            # One request may have spoiled the group: encode each alone, so that only that one fails.
            actions = [a for r in alive for a in self._encode([r])]
        else:
            actions = [a for r in alive for a in self._endings.encode_failed(r, result, now_s)]
        return actions + self._advance(now_s)

    def next_wakeup_s(self, now_s: float) -> float | None:
        if self._quiet:
            return None
        times = [self._session.next_wakeup_s(now_s), self._intake.next_wakeup_s()]
        times += [self._delivery.next_wakeup_s(), self._next_progress_s]
        return min(t for t in times if t is not None)

    def quiesce(self) -> list[Action]:
        """Silent from now on. A request still open gets no terminal state: its outcome is unknown."""
        self._quiet = True
        self._session.quiesce()
        return [
            Record("info", {"request_id": r.request_id, "user": r.user, "detail": f"left {r.state.value}"})
            for r in self._book
        ]

    # --- from intake to the air -----------------------------------------------------------------------

    def _advance(self, now_s: float) -> list[Action]:
        """Everything that becomes possible because something else has happened."""
        if self._quiet:
            return []
        actions: list[Action] = []
        while group := self._intake.workload_group(now_s, self._open_workload_groups(), len(self._book)):
            for candidate in group:
                actions += self._admit(candidate, now_s)
            actions += self._encode([c.record for c in group])
        while window := self._intake.closed_window(now_s):
            actions += self._encode(window)
        workload_open = any(r.index is not None for r in self._book)
        if self._intake.workload_released and not workload_open and not self._told_workload_done:
            self._told_workload_done = True
            if not self._intake.draining:
                actions.append(Tell(WorkloadDone(attempted=self._intake.workload_attempted)))
        if self._intake.draining and not len(self._book) and not self._told_drained:
            self._told_drained = True
            values = dict(self._score.totals(0))
            actions.append(
                Record("process", {"what": "drained", "incarnation": self._incarnation, "detail": ""})
            )
            actions.append(Tell(Done(role="bs", user=BASE_STATION, verb="drain", values=values)))
        return actions

    def _admit(self, candidate: Candidate, now_s: float) -> list[Action]:
        record = candidate.record
        self._book.add(record)
        self._score.attempted += 1
        invoked = Record(
            "invoke",
            {
                "request_id": record.request_id,
                "user": record.user,
                "task": record.task,
                "index": record.index,
                "ask_id": record.ask_id,
                "arrival_s": record.arrival_s,
                "question_at": "ue" if record.question_at_ue else "bs",
                "text_chars": len(record.text),
                "image": None if record.image_key is None else record.image_key[:16],
            },
        )
        if candidate.refusal is None:
            return [invoked]
        return [invoked, *self._endings.finish(record, Event.REFUSE, now_s, candidate.refusal)]

    def _encode(self, records: Sequence[RequestRecord], reuse: bool = True) -> list[Action]:
        """Start the job of one group. `reuse`: images that UEs have are referred to."""
        alive = [r for r in records if not r.state.terminal]
        if not alive:
            return []
        group_id, self._next_group = self._next_group, self._next_group + 1
        admitted = []
        for r in alive:
            r.group_id = group_id
            asked_there = r.index if r.question_at_ue else None
            keep = None
            if r.image_key is not None and reuse:
                r.cached = self._cache.find(r.user, r.image_key, group_id)
            if r.image_key is not None and r.cached is None:
                keep = self._cache.allot(r.user, r.image_key, r.request_id, group_id)
            admitted.append(
                AdmittedRequest(
                    r.request_id,
                    r.user,
                    r.task,
                    r.text,
                    r.image,
                    r.image_key,
                    asked_there,
                    r.cached,
                    keep,
                )
            )
        key = f"group:{group_id}"
        self._encoding[key] = alive

        def job() -> GroupOutcome:
            # Read on the compute thread: a request that expired in the queue is not worth encoding.
            wanted = [a for r, a in zip(alive, admitted, strict=True) if not r.state.terminal]
            return run_group(self._pipeline, group_id, wanted, self._limits)

        names = [r.request_id for r in alive]
        return [Record("group", {"group_id": group_id, "requests": names}), Compute(key, job)]

    def _on_encoded(self, outcome: GroupOutcome, alive: list[RequestRecord], now_s: float) -> list[Action]:
        actions: list[Action] = []
        for r in alive:
            if r.request_id in outcome.refused:
                reason = outcome.refused[r.request_id]
                actions += self._endings.finish(r, Event.REFUSE, now_s, reason)
            elif outcome.plan is None or r.request_id not in outcome.plan.side:
                error = LookupError("the plan has no index map for this request")
                actions += self._endings.encode_failed(r, error, now_s)
        if outcome.plan is not None:
            ready = [r for r in alive if not r.state.terminal]
            actions += self._delivery.transmit(outcome.plan, ready, now_s)
        return actions

    def _on_cache_miss(self, message: Feedback) -> list[Action]:
        found = self._delivery.on_cache_miss(message)
        if found is None:
            return []
        request, image = found
        self._cache.missed(request.user, image)
        names = {"request_id": request.request_id, "user": request.user}
        return [Record("cache_miss", names), *self._encode([request], reuse=False)]

    def _on_uplink_request(self, message: UplinkRequest, now_s: float) -> list[Action]:
        """A UE names its requests `u<user>.<...>`, so no two choose the same id. A known id: repetition."""
        known = self._book.get(message.client_id)
        if known is not None:
            return self._endings.repeat_cancel(known)
        if message.client_id in self._predecessors_uplink:
            cancel = Cancel(user=message.user, request_id=message.client_id, reason="bs_restarted")
            return [Send("ce", cancel)]
        if not message.client_id.startswith(f"u{message.user}."):
            return [Record("rejected", {"user": message.user, "client_id": message.client_id})]
        image = bytes(message.payload) or None
        candidate = self._intake.from_outside(
            message.user,
            message.task,
            message.text,
            image,
            now_s,
            len(self._book),
            client_id=message.client_id,
        )
        return self._admit(candidate, now_s)

    def _open_workload_groups(self) -> int:
        return len({r.group_id for r in self._book if r.index is not None})

    def _close_predecessors_requests(self, now_s: float) -> list[Action]:
        left_open, self._left_open = self._left_open, ()
        return [
            Record("fail", {"request_id": name, "user": user, "reason": "bs_restarted"})
            for name, user in left_open
        ]
