"""The base station as a role: events in, actions out; see `shared.actions` for the calling convention.

intake -> group job (encode, compare, partition, channel code) -> transmit -> the UE's answer -> ending
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from basestation.added_up import Adding
from basestation.admission import Admission
from basestation.cache_book import CacheBook
from basestation.delivery import Delivery
from basestation.downlink_clock import DownlinkClock
from basestation.encoder import Encoder
from basestation.endings import Endings
from basestation.group_job import GroupOutcome, Pipeline
from basestation.intake import ImageLoader, Intake
from basestation.pending import PendingStore
from basestation.presence import Presence
from basestation.recovery import Resume
from basestation.reopen import Reopening, groups_of
from basestation.requests import Event, RequestBook, RequestRecord
from basestation.scoreboard import PROGRESS_EVERY_S, Scoreboard
from basestation.transmit import Transmitter
from basestation.workload_file import WorkloadRequest
from shared.actions import Action, Record, Tell
from shared.liveness import PeerSession
from shared.process_fault_config import late_users
from shared.spec import RoleSpec
from shared.wire.messages import (
    BASE_STATION,
    Answer,
    Ask,
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
    """`load_image` reads a workload's image file and raises `BadInput`.

    `pending` keeps requests from outside. `resume` continues a crashed process: what it left open is taken up
    at the first tick.
    """

    def __init__(
        self,
        spec: RoleSpec,
        pipeline: Pipeline,
        workload: Sequence[WorkloadRequest],
        fingerprint: str,
        load_image: ImageLoader,
        pending: PendingStore,
        pid: int = 0,
        resume: Resume | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock`: for the times of stages."""
        config, resume = spec.config, resume or Resume()
        self._incarnation = spec.incarnation
        self._max_group = config.max_group
        self._pending = pending
        self._session = PeerSession(spec, fingerprint, pid)
        self._presence = Presence(
            config.users, config.liveness.timeout_ms / 1e3, late_users(config.process_faults)
        )
        reopening = Reopening(workload, resume, load_image, pending, config.deadline_ms / 1e3)
        self._intake = Intake(config, workload, self._presence, load_image, resume)
        self._book = RequestBook()
        transmitter = Transmitter(config.retransmission, DownlinkClock(resume.next_use), Adding(config))
        self._score = Scoreboard()
        # Another process than an earlier one's: its versions begin elsewhere.
        self._cache = CacheBook(config.cache.images, first_version=spec.incarnation * 997)
        self._encoder = Encoder(pipeline, self._cache, config.limits, resume.next_group, clock)
        self._endings = Endings(self._book, transmitter, self._score, self._cache, pending)
        self._delivery = Delivery(
            self._book,
            transmitter,
            self._presence,
            self._endings,
            config.retransmission.feedback_timeout_ms / 1e3,
        )
        self._admission = Admission(
            self._intake, self._book, self._score, self._endings, pending, reopening, resume
        )
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
            died = self._presence.succeeds(message)
            if self._presence.update(message, now_s):
                actions += self._delivery.user_came(message.user, died, now_s)
        elif isinstance(message, Feedback) and message.cache_miss:
            actions += self._on_cache_miss(message)
        elif isinstance(message, Feedback):
            self._delivery.on_feedback(message, now_s)
        elif isinstance(message, Answer):
            actions += self._endings.on_answer(message, now_s)
        elif isinstance(message, UplinkRequest):
            actions += self._admission.uplink(message, now_s)
        return actions + self._advance(now_s)

    def on_control(self, message: Message, now_s: float) -> list[Action]:
        actions: list[Action] = []
        if isinstance(message, Command) and message.verb == "start":
            self._intake.start()
        elif isinstance(message, Command) and message.verb == "drain":
            self._intake.drain()
        elif isinstance(message, Ask):
            actions += self._admission.ask(message, now_s)
        return actions + self._advance(now_s)

    def on_tick(self, now_s: float) -> list[Action]:
        self._pending.sweep()
        if self._quiet:
            return []
        actions = self._session.on_tick(now_s) + self._take_up(now_s)
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
        alive = self._encoder.finished()
        if self._quiet:
            return []
        actions = self._encoder.advance()  # first, so that it works while this group is sent
        if isinstance(result, GroupOutcome):
            actions += self._on_encoded(result, alive, now_s)
        elif len(alive) > 1:
            # One request may have spoiled the group: encode each alone, so that only that one fails.
            for r in alive:
                self._encoder.submit([r])
        else:
            actions += [a for r in alive for a in self._endings.encode_failed(r, result, now_s)]
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
        self._pending.close()
        return [
            Record("info", {"request_id": r.request_id, "user": r.user, "detail": f"left {r.state.value}"})
            for r in self._book
        ]

    # --- from intake to the air -----------------------------------------------------------------------

    def _advance(self, now_s: float) -> list[Action]:
        """Everything that becomes possible because something else has happened."""
        if self._quiet or not self._admission.taken_up:
            return []
        actions: list[Action] = []
        while group := self._intake.workload_group(now_s, self._open_workload_groups(now_s), len(self._book)):
            for candidate in group:
                actions += self._admission.admit(candidate, now_s)
            self._encoder.submit([c.record for c in group])
        while window := self._intake.closed_window(now_s):
            self._encoder.submit(window)
        actions += self._encoder.advance() + self._delivery.release(now_s)
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

    def _take_up(self, now_s: float) -> list[Action]:
        """What the process before left open goes on; once."""
        actions, going_on = self._admission.take_up(now_s)
        self._delivery.quarantine.suspect(one.record for one in going_on if one.left.ue_deaths)
        for group in groups_of(going_on, self._max_group):
            self._encoder.submit(group)
        return actions

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
        self._encoder.submit([request], reuse=False)
        return [Record("cache_miss", names)]

    def _open_workload_groups(self, now_s: float) -> int:
        """Those that the next group waits for: nobody waits for a user who stays away."""
        waited_for = [
            r for r in self._book if r.index is not None and self._presence.reachable(r.user, now_s)
        ]
        return len({r.group_id for r in waited_for})
