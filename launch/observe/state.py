"""Events folded, one after the other, into what there is to see of a run."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from launch.chaos.timeline import fault_timeline
from launch.observe.histogram import Histogram
from launch.observe.processes import Processes
from launch.observe.requests import Requests
from launch.verdict.requests import STATE_OF

MAX_POINTS: Final = 2_000
"""Of a curve over time; of more, the oldest are let go."""
MAX_EVENTS: Final = 400
MAX_FAULT_EVENTS: Final = 20_000
_LOUD: Final = ("fault", "process", *STATE_OF, "suspect", "resumed", "duplicate_answer", "misdelivered")
"""Events that are listed; the others are shown with their requests."""

Event = Mapping[str, Any]


class AirPoint(NamedTuple):
    """A frame came with `received_db`; its channel's average was `snr_db`. None: there was no noise."""

    t_s: float
    user: int
    snr_db: float | None
    received_db: float | None


class Ending(NamedTuple):
    t_s: float
    latency_ms: float | None
    state: str


class RunState:
    """Times are the journal's, in seconds; `since_zero` counts from the first request, as reports do."""

    def __init__(self, users: int) -> None:
        self.requests = Requests()
        self.processes = Processes(users)
        self.air: deque[AirPoint] = deque(maxlen=MAX_POINTS)
        self.uses: deque[tuple[float, int]] = deque(maxlen=MAX_POINTS)
        self.endings: deque[Ending] = deque(maxlen=MAX_POINTS)
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.latency = Histogram()
        self.stages: dict[str, Histogram] = defaultdict(Histogram)
        self.first_s: float | None = None
        self.last_s = 0.0
        self._zero_s: float | None = None
        self._of_faults: deque[Event] = deque(maxlen=MAX_FAULT_EVENTS)

    def apply(self, event: Event) -> None:
        """Take over one event of the journal."""
        t, kind = float(event["t"]), event["event"]
        if self.first_s is None:
            self.first_s = t
        self.last_s = max(self.last_s, t)
        if kind == "invoke" and self._zero_s is None:
            self._zero_s = t
        self.requests.apply(event)
        self.processes.apply(event)
        if kind == "fault":
            self._of_faults.append(event)
        elif kind == "ok":
            self._of_faults.append({"event": "ok", "t": t})
        if kind in ("ok", "degraded"):
            self._answered(event)
        if kind in STATE_OF:
            self.endings.append(Ending(t, event.get("latency_ms"), STATE_OF[kind]))
        if kind == "ue_air":
            self.air.append(AirPoint(t, int(event["user"]), event.get("snr_db"), event.get("received_db")))
        if isinstance(event.get("next_use"), int):
            self.uses.append((t, event["next_use"]))
        if kind in _LOUD:
            self.events.append(event)

    def _answered(self, event: Event) -> None:
        latency_ms = event.get("latency_ms")
        if latency_ms is not None:
            self.latency.observe(latency_ms / 1e3)
        for stage, ms in (event.get("stage_ms") or {}).items():
            self.stages[stage].observe(ms / 1e3)

    @property
    def zero_s(self) -> float:
        """The first request; before it, the first event."""
        return self._zero_s if self._zero_s is not None else self.first_s or 0.0

    def since_zero(self, t_s: float) -> float:
        return t_s - self.zero_s

    def faults(self) -> list[dict[str, Any]]:
        """As a run's summary lists them; one that goes on has no `end_s`."""
        return fault_timeline([{"event": "invoke", "t": self.zero_s}, *self._of_faults])
