"""The encoder: groups wait for it, and it has one at a time.

So the journal says at any time which requests are in it: should one of them end the process, the next
process knows whom to suspect (`recovery`).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from basestation.cache_book import CacheBook
from basestation.group_job import GroupOutcome, Pipeline, run_group
from basestation.pipeline import AdmittedRequest
from basestation.requests import RequestRecord, State
from shared.actions import Action, Compute, Record
from shared.config import LimitsConfig


@dataclass(frozen=True, slots=True)
class _Group:
    group_id: int
    records: list[RequestRecord]
    admitted: list[AdmittedRequest]


class Encoder:
    """`next_group`: the first group number that was never given."""

    def __init__(
        self,
        pipeline: Pipeline,
        cache: CacheBook,
        limits: LimitsConfig,
        next_group: int,
        clock: Callable[[], float],
    ) -> None:
        self._pipeline = pipeline
        self._cache = cache
        self._limits = limits
        self._next_group = next_group
        self._clock = clock
        self._waiting: deque[_Group] = deque()
        self._running: _Group | None = None

    def submit(self, records: Sequence[RequestRecord], reuse: bool = True) -> None:
        """Make those that are open a group. `reuse`: images that UEs have are referred to."""
        alive = [r for r in records if not r.state.terminal]
        if alive:
            group_id, self._next_group = self._next_group, self._next_group + 1
            admitted = [self._admit(r, group_id, reuse) for r in alive]
            self._waiting.append(_Group(group_id, alive, admitted))

    def advance(self) -> list[Action]:
        """Start on the next group, if the encoder is free."""
        while self._running is None and self._waiting:
            group = self._waiting.popleft()
            names = [r.request_id for r in group.records if not r.state.terminal]
            if names:
                self._running = group
                return [
                    Record("group", {"group_id": group.group_id, "requests": names}),
                    Compute(f"group:{group.group_id}", partial(self._run, group)),
                ]
        return []

    def finished(self) -> list[RequestRecord]:
        """The encoder is free again; what was in it and is still open."""
        group, self._running = self._running, None
        return [] if group is None else [r for r in group.records if not r.state.terminal]

    def _admit(self, r: RequestRecord, group_id: int, reuse: bool) -> AdmittedRequest:
        r.group_id = group_id
        keep = None
        if r.image_key is not None and reuse:
            r.cached = self._cache.find(r.user, r.image_key, group_id)
        # The UE of a resumed request may answer it from what it had: then it keeps nothing that comes now.
        if r.image_key is not None and r.cached is None and r.state is not State.RESUMED:
            keep = self._cache.allot(r.user, r.image_key, r.request_id, group_id)
        asked_there = r.index if r.question_at_ue else None
        return AdmittedRequest(
            r.request_id, r.user, r.task, r.text, r.image, r.image_key, asked_there, r.cached, keep
        )

    def _run(self, group: _Group) -> GroupOutcome:
        # Read on the compute thread: a request that expired in the queue is not worth encoding.
        wanted = [a for r, a in zip(group.records, group.admitted, strict=True) if not r.state.terminal]
        return run_group(self._pipeline, group.group_id, wanted, self._limits, self._clock)
