"""What is known of each process of a run: is it there, is it well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Event = Mapping[str, Any]

UP: Final = "up"
_STATE_AFTER: Final = {
    "started": "starting",
    "ready": UP,
    "attached": UP,
    "restarted": UP,
    "returned": UP,
    "joined": UP,
    "stopping": "stopping",
    "exit": "ended",
    "crashed": "crashed",
    "unreachable": "lost",
    "fenced": "fenced",
}
"""`what` of a process event -> the state of the process it is about; other events change nothing."""
_HOLDING: Final = {"pause": "paused", "slow": "slow"}
"""Faults under which a process is there and does not do as it should."""


@dataclass
class ProcessView:
    """`state` since `since_s` of the journal's clock."""

    name: str
    state: str
    since_s: float
    incarnation: int = 0


class Processes:
    """By name: bs, ce, ue-0, ue-1 ..."""

    def __init__(self, users: int) -> None:
        self._views = {
            n: ProcessView(n, "not started", 0.0) for n in ("bs", "ce", *map(ue_name, range(users)))
        }
        self._held: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __getitem__(self, name: str) -> ProcessView:
        return self._views[name]

    def state_of(self, name: str) -> str:
        """What to show: a process that is held is not well, whatever it last said."""
        view = self._views[name]
        return self._held.get(name, view.state) if view.state == UP else view.state

    def apply(self, event: Event) -> None:
        """Take over what an event says of a process. What the emulator says of others is their links."""
        kind, what = event["event"], event.get("what")
        if kind == "fault":
            self._apply_fault(event)
        if kind != "process" or what not in _STATE_AFTER:
            return
        role, peer = event.get("role"), event.get("peer")
        if role == "ce" and peer is not None:
            return
        view = self._views.get(str(peer) if role == "agent" and peer else _name(event))
        if view is None:
            return
        incarnation = event.get("incarnation")
        if isinstance(incarnation, int):
            if incarnation < view.incarnation:
                return  # the last words of one that was replaced
            view.incarnation = incarnation
        view.state, view.since_s = _STATE_AFTER[what], float(event["t"])

    def _apply_fault(self, event: Event) -> None:
        kind, on = str(event.get("fault", "")).partition(".")[0], str(event.get("on") or "")
        if kind not in _HOLDING or on not in self._views:
            return
        if event.get("what") == "begin":
            self._held[on] = _HOLDING[kind]
        elif event.get("what") == "end":
            self._held.pop(on, None)


def ue_name(user: int) -> str:
    return f"ue-{user}"


def _name(event: Event) -> str:
    return ue_name(event.get("user", -1)) if event.get("role") == "ue" else str(event.get("role"))
