"""What the agent has to tell the supervisor: bounded, and never stale."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

_MAX_WAITING = 4_096


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """`what`: progress | workload_done | ready | crashed | ended (as it was asked to) | agent_failed |
    not_sampled (any more).

    `values` are plain data.
    """

    what: str
    role: str
    user: int
    values: dict[str, Any] = field(default_factory=dict)


class EventBox:
    """Thread-safe. Of each role only the latest progress waits; other events wait in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[AgentEvent] = deque(maxlen=_MAX_WAITING)
        self._progress: dict[tuple[str, int], AgentEvent] = {}

    def put(self, event: AgentEvent) -> None:
        with self._changed:
            if event.what == "progress":
                self._progress[event.role, event.user] = event
            else:
                self._events.append(event)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> list[AgentEvent]:
        """Everything that waits; blocks up to `timeout_s` seconds for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._progress, timeout_s)
            taken = [*self._progress.values(), *self._events]
            self._progress.clear()
            self._events.clear()
        return taken
