"""When the groups of the workload are released.

Without `workload.requests_per_s` arrivals are virtual: the next group comes as soon as at most
`PIPELINE_DEPTH - 1` groups are open, so that encoding and decoding overlap. With it, a group comes when its
last member arrives on the clock, whatever is still open (an open loop: slowness shows as latency or `busy`).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from basestation.workload_file import WorkloadRequest

PIPELINE_DEPTH = 2


def arrival_groups(
    requests: Iterable[WorkloadRequest], window_s: float, max_group: int
) -> Iterator[list[WorkloadRequest]]:
    """Groups by arrival time: within `window_s` of the group's first, at most `max_group`."""
    group: list[WorkloadRequest] = []
    for request in requests:
        if group and (request.arrival_s - group[0].arrival_s > window_s or len(group) >= max_group):
            yield group
            group = []
        group.append(request)
    if group:
        yield group


class WorkloadFeed:
    """Hands out the groups of a workload, each once.

    `continued`: another incarnation has had the beginning, so what is left begins with its first arrival.
    """

    def __init__(
        self,
        requests: Sequence[WorkloadRequest],
        window_s: float,
        max_group: int,
        paced: bool,
        continued: bool = False,
    ) -> None:
        self._groups = deque(arrival_groups(requests, window_s, max_group))
        self._paced = paced
        self._passed_s = self._groups[0][0].arrival_s if continued and self._groups else 0.0
        self._started_s: float | None = None
        self.released = 0

    @property
    def started(self) -> bool:
        return self._started_s is not None

    @property
    def exhausted(self) -> bool:
        return self.started and not self._groups

    def start(self, now_s: float) -> None:
        if self._started_s is None:
            self._started_s = now_s - self._passed_s

    def stop(self) -> None:
        """Release nothing more."""
        self._groups.clear()

    def take(self, now_s: float, open_groups: int) -> list[WorkloadRequest]:
        """The next group if it is due, else []."""
        if self._started_s is None or not self._groups:
            return []
        if self._paced:
            if now_s < self._started_s + self._groups[0][-1].arrival_s:
                return []
        elif open_groups >= PIPELINE_DEPTH:
            return []
        group = self._groups.popleft()
        self.released += len(group)
        return group

    def next_wakeup_s(self) -> float | None:
        """When the next group of a paced workload is due; None when that depends on other things."""
        if self._started_s is None or not self._groups or not self._paced:
            return None
        return self._started_s + self._groups[0][-1].arrival_s

    def admitted_s(self, request: WorkloadRequest, now_s: float) -> float:
        """From when latency and deadline count: the arrival on the clock, or the release if virtual."""
        if self._paced and self._started_s is not None:
            return self._started_s + request.arrival_s
        return now_s
