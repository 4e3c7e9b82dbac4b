"""When each fault of a run is active. Time begins with the run's first message.

Pure: times are arguments, in seconds of one host's monotonic clock.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """A fault is put in (`inject`), begins, harms its first message (`strike`) or ends, `strikes` so far."""

    what: str
    fault: str
    strikes: int = 0


class Schedule:
    """The windows of faults by name; each begins and ends once."""

    def __init__(self) -> None:
        self.zero_s: float | None = None
        self._windows: dict[str, tuple[float, float]] = {}
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def add(self, name: str, at_s: float, for_s: float | None) -> None:
        """From `at_s` after the first message on; `for_s` None: to the end."""
        self._windows[name] = (at_s, math.inf if for_s is None else at_s + for_s)

    def resume(self, zero_s: float, begun: frozenset[str], ended: frozenset[str]) -> None:
        """Go on where an earlier emulator was."""
        self.zero_s = zero_s
        self._begun |= begun & self._windows.keys()
        self._ended |= ended & self._windows.keys()

    def active(self, name: str) -> bool:
        return name in self._begun and name not in self._ended

    def due(self, now_s: float) -> list[tuple[str, str]]:
        """('begin' or 'end', name) of what has begun or ended since the last call."""
        if self.zero_s is None:
            return []
        elapsed_s, found = now_s - self.zero_s, []
        for name, (begin_s, end_s) in self._windows.items():
            if name not in self._begun | self._ended and elapsed_s >= begin_s:
                self._begun.add(name)
                found.append(("begin", name))
            if self.active(name) and elapsed_s >= end_s:
                self._ended.add(name)
                found.append(("end", name))
        return found

    def end_all(self) -> list[str]:
        """All that are active or have not begun are over; their names."""
        found = [name for name in self._windows if name not in self._ended]
        self._ended.update(found)
        return found

    def next_s(self) -> float | None:
        """When the next one begins or ends."""
        if self.zero_s is None:
            return None
        times = [end_s for name, (_, end_s) in self._windows.items() if self.active(name)]
        times += [
            begin_s for name, (begin_s, _) in self._windows.items() if name not in self._begun | self._ended
        ]
        soonest = min(times, default=math.inf)
        return None if soonest == math.inf else self.zero_s + soonest
