"""Intake: requests from the workload, from `m4sc ask` and from UEs become records with an id, in groups.

The workload's groups follow its own arrival times, never the wall clock, so the same file gives the same
groups. Requests from outside wait for a window of `window_ms` on the clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from basestation.door import Door
from basestation.image_door import BadInput
from basestation.presence import Presence
from basestation.recovery import Resume
from basestation.requests import RequestRecord, image_key_of
from basestation.workload_feed import WorkloadFeed
from basestation.workload_file import WorkloadRequest
from shared.config import RunConfig
from shared.schemes import scheme_of

ImageLoader = Callable[[str], bytes]
"""Path of an image to the file's bytes; raises `BadInput`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request with its id, and why it may not come in (None: admitted)."""

    record: RequestRecord
    refusal: str | None


class Intake:
    """Ids are given in the order of intake, to refused requests too."""

    def __init__(
        self,
        config: RunConfig,
        workload: Sequence[WorkloadRequest],
        presence: Presence,
        load_image: ImageLoader,
        resume: Resume,
    ) -> None:
        self._config = config
        self._presence = presence
        self._load_image = load_image
        self._door = Door(config.users, config.limits, scheme_of(config.scheme).tasks)
        self._feed = WorkloadFeed(
            [w for w in workload if w.index not in resume.invoked],
            config.window_ms / 1e3,
            config.max_group,
            paced=config.workload.requests_per_s is not None,
            continued=bool(resume.invoked),
        )
        self._next_request = resume.next_request
        self._already_invoked = len(resume.invoked)
        self._start_asked = False
        self._window: list[RequestRecord] = []
        self._window_closes_s = 0.0
        self.draining = False

    @property
    def workload_released(self) -> bool:
        """Every request of the workload has been invoked."""
        return self._feed.exhausted

    @property
    def workload_attempted(self) -> int:
        return self._feed.released + self._already_invoked

    def start(self) -> None:
        self._start_asked = True

    def drain(self) -> None:
        """Admit nothing more; what waits in the window is still served."""
        self.draining = True
        self._feed.stop()

    def next_wakeup_s(self) -> float | None:
        times = [self._feed.next_wakeup_s(), self._window_closes_s if self._window else None]
        if self._start_asked and not self._feed.started:
            times.append(self._presence.grace_ends_s())
        return min((t for t in times if t is not None), default=None)

    def from_outside(
        self,
        user: int,
        task: str,
        text: str,
        image: bytes | None,
        now_s: float,
        open_requests: int,
        ask_id: str | None = None,
        client_id: str | None = None,
    ) -> Candidate:
        """A request by control link (`ask_id`) or uplink (`client_id`, which becomes its id)."""
        record = self._record(user, task, text, image, now_s, client_id)
        record.ask_id, record.client_id = ask_id, client_id
        refusal = self._refusal(record, now_s, open_requests)
        if refusal is None:
            if not self._window:
                self._window_closes_s = now_s + self._config.window_ms / 1e3
            self._window.append(record)
        return Candidate(record, refusal)

    def closed_window(self, now_s: float) -> list[RequestRecord]:
        """The group of requests from outside whose window is over, else []."""
        full = len(self._window) >= self._config.max_group
        if not self._window or not (full or self.draining or now_s >= self._window_closes_s):
            return []
        group, self._window = self._window[: self._config.max_group], self._window[self._config.max_group :]
        return group

    def workload_group(self, now_s: float, open_groups: int, open_requests: int) -> list[Candidate]:
        """The next group of the workload if it is due, else []."""
        if self._start_asked and not self._feed.started and self._users_are_there(now_s):
            self._feed.start(now_s)
        candidates = []
        for request in self._feed.take(now_s, open_groups):
            candidate = self._from_workload(request, now_s, open_requests)
            open_requests += candidate.refusal is None
            candidates.append(candidate)
        return candidates

    def _from_workload(self, request: WorkloadRequest, now_s: float, open_requests: int) -> Candidate:
        image, fault = None, None
        if request.image is not None:
            try:
                image = self._load_image(request.image)
            except BadInput as error:
                fault = f"bad_input: {error}"
        admitted_s = self._feed.admitted_s(request, now_s)
        record = self._record(request.user, request.task, request.text, image, admitted_s, None)
        record.index, record.arrival_s = request.index, request.arrival_s
        record.question_at_ue = request.question_at_ue
        return Candidate(record, fault or self._refusal(record, now_s, open_requests))

    def _record(
        self, user: int, task: str, text: str, image: bytes | None, admitted_s: float, name: str | None
    ) -> RequestRecord:
        if name is None:
            name = f"r{self._next_request:06d}"
            self._next_request += 1
        return RequestRecord(
            request_id=name,
            user=user,
            task=task,
            text=text,
            image=image,
            image_key=image_key_of(image),
            admitted_s=admitted_s,
            deadline_s=admitted_s + self._config.deadline_ms / 1e3,
        )

    def _refusal(self, record: RequestRecord, now_s: float, open_requests: int) -> str | None:
        if self.draining:
            return "draining"
        reachable = self._presence.reachable(record.user, now_s)
        return self._door.refusal(
            record.user,
            record.task,
            record.text,
            record.image,
            open_requests,
            reachable,
            record.question_at_ue,
        )

    def _users_are_there(self, now_s: float) -> bool:
        """All users attached, or waited for long enough: else the first groups would reach only some."""
        grace_ends_s = self._presence.grace_ends_s()
        return self._presence.complete() or (grace_ends_s is not None and now_s >= grace_ends_s)
