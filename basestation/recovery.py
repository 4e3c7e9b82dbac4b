"""What a restarted base station takes over from its journal.

Requests that were open go on: under the same name, with the deadline they had, encoded in groups of new
numbers. Nothing is numbered twice, as a UE may remember the old numbers, and what had ended stays ended.

A request that was in the encoder when its process ended may have ended it. Scheduled ends blame nobody.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TERMINAL_EVENTS = frozenset({"ok", "degraded", "fail", "expired", "refused"})
MAX_ASKS = 1_024
"""Ended questions of the control link that are remembered, as their results may not have been heard."""

_ENDING = ("kill.", "restart.")
"""How the names of faults begin that end a process on purpose."""


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A request that was open. Times in seconds of the host's monotonic clock.

    `index` is its line of the workload; the others came from outside. `group_id`: of its last encoding (None:
    it had none). `sent`: its UE may have it. `encoder_deaths`: processes that ended while it was in the
    encoder, since it last left it; `alone`: at the last of these, nothing else was. `ue_deaths`: of its UE.
    """

    request_id: str
    user: int
    task: str
    admitted_s: float
    index: int | None = None
    ask_id: str | None = None
    group_id: int | None = None
    sent: bool = False
    encoder_deaths: int = 0
    alone: bool = False
    ue_deaths: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request ended: the name of the event and what it says."""

    event: str
    user: int
    reason: str
    text: str
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on.

    `invoked`: workload lines already begun. `asks`: how questions of the control link ended, by their ask_id;
    `uplink`: how those of UEs did, by their names.
    """

    next_request: int = 0
    next_group: int = 0
    next_use: int = 0
    invoked: frozenset[int] = frozenset()
    left_open: tuple[LeftOpen, ...] = ()
    asks: Mapping[str, Ended] = field(default_factory=dict)
    uplink: Mapping[str, Ended] = field(default_factory=dict)


def resume_from(journal: Iterable[bytes]) -> Resume:
    """From the lines of a journal; a torn last line, as a crash may leave it, is passed over."""
    reader = _Reader()
    for line in journal:
        entry = _entry(line) if b'"bs"' in line else None  # others' lines are many
        if entry is not None:
            reader.read(entry)
    return reader.result()


@dataclass(slots=True)
class _Open:
    invoke: Mapping[str, Any]
    group_id: int | None = None
    sent: bool = False
    encoder_deaths: int = 0
    alone: bool = False
    ue_deaths: int = 0


@dataclass(slots=True)
class _Reader:
    """Event by event. `_encoding`: (group, requests) in the encoder. `_wanted`: its end was scheduled."""

    _open: dict[str, _Open] = field(default_factory=dict)
    _invoked: set[int] = field(default_factory=set)
    _asks: OrderedDict[str, Ended] = field(default_factory=OrderedDict)
    _uplink: dict[str, Ended] = field(default_factory=dict)
    _encoding: tuple[int, list[str]] | None = None
    _wanted: bool = False
    _next_request: int = 0
    _next_group: int = 0
    _next_use: int = 0

    def read(self, entry: Mapping[str, Any]) -> None:
        event = entry.get("event")
        if event == "fault" and entry.get("on") == "bs" and str(entry.get("fault")).startswith(_ENDING):
            self._wanted = entry.get("what") == "begin"
        if entry.get("role") != "bs":
            return
        name = entry.get("request_id")
        if event == "invoke" and isinstance(name, str):
            self._on_invoke(name, entry)
        elif event in TERMINAL_EVENTS and isinstance(name, str):
            self._on_end(name, entry)
        elif event == "tokens" and name in self._open:
            self._open[name].sent = True
        elif event == "suspect" and name in self._open and isinstance(entry.get("deaths"), int):
            self._open[name].ue_deaths = entry["deaths"]
        elif event == "group" and isinstance(entry.get("group_id"), int):
            self._on_group(entry["group_id"], _names(entry))
        elif event == "encoded":
            self._on_encoded(entry.get("group_id"), _names(entry))
        elif event == "process" and entry.get("what") == "started":
            self._on_death()
        if isinstance(entry.get("next_use"), int):
            self._next_use = max(self._next_use, entry["next_use"])

    def result(self) -> Resume:
        """The journal ends with its writer."""
        self._on_death()
        return Resume(
            next_request=self._next_request,
            next_group=self._next_group,
            next_use=self._next_use,
            invoked=frozenset(self._invoked),
            left_open=tuple(_left_open(name, request) for name, request in self._open.items()),
            asks=dict(self._asks),
            uplink=dict(self._uplink),
        )

    def _on_invoke(self, name: str, entry: Mapping[str, Any]) -> None:
        self._open[name] = _Open(entry)
        if _numbered(name):
            self._next_request = max(self._next_request, int(name[1:]) + 1)
        if isinstance(entry.get("index"), int):
            self._invoked.add(entry["index"])

    def _on_end(self, name: str, entry: Mapping[str, Any]) -> None:
        request = self._open.pop(name, None)
        if request is None:
            return
        ended = Ended(
            event=str(entry["event"]),
            user=int(request.invoke.get("user", -1)),
            reason=str(entry.get("reason", "")),
            text=str(entry.get("text", "")),
            latency_ms=max(0.0, 1e3 * (float(entry.get("t", 0.0)) - _admitted_s(request.invoke))),
        )
        ask_id = request.invoke.get("ask_id")
        if isinstance(ask_id, str):
            self._asks[ask_id] = ended
            if len(self._asks) > MAX_ASKS:
                self._asks.popitem(last=False)
        elif not _numbered(name):
            self._uplink[name] = ended

    def _on_group(self, group_id: int, names: list[str]) -> None:
        self._encoding = group_id, names
        self._next_group = max(self._next_group, group_id + 1)
        for request in self._in_encoder():
            request.group_id = group_id

    def _on_encoded(self, group_id: Any, names: list[str]) -> None:
        """The next group may be in the encoder by now."""
        for name in names:
            if name in self._open:
                self._open[name].encoder_deaths, self._open[name].alone = 0, False
        if self._encoding is not None and self._encoding[0] == group_id:
            self._encoding = None

    def _on_death(self) -> None:
        """A process ended, unless it is the first that starts: then nothing has been encoded."""
        if self._encoding is not None and not self._wanted:
            for request in self._in_encoder():
                request.encoder_deaths += 1
                request.alone = len(self._encoding[1]) == 1
        self._encoding, self._wanted = None, False

    def _in_encoder(self) -> list[_Open]:
        names = [] if self._encoding is None else self._encoding[1]
        return [self._open[name] for name in names if name in self._open]


def _left_open(name: str, request: _Open) -> LeftOpen:
    invoke = request.invoke
    index, ask_id = invoke.get("index"), invoke.get("ask_id")
    return LeftOpen(
        request_id=name,
        user=int(invoke.get("user", -1)),
        task=str(invoke.get("task", "")),
        admitted_s=_admitted_s(invoke),
        index=index if isinstance(index, int) else None,
        ask_id=ask_id if isinstance(ask_id, str) else None,
        group_id=request.group_id,
        sent=request.sent,
        encoder_deaths=request.encoder_deaths,
        alone=request.alone,
        ue_deaths=request.ue_deaths,
    )


def _names(entry: Mapping[str, Any]) -> list[str]:
    """The requests that an event is about."""
    names = entry.get("requests")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _numbered(name: str) -> bool:
    """Named by the base station; others were named by UEs."""
    return name[:1] == "r" and name[1:].isdigit()


def _admitted_s(invoke: Mapping[str, Any]) -> float:
    """From when latency and deadline count: a paced workload's requests arrive before their group does."""
    return float(invoke.get("admitted_s", invoke.get("t", 0.0)))


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
