"""The verdict on a run: valid, invalid or unknown, and why.

Invalid: a rule is broken, whatever else is known. Unknown: no rule is broken, but something that must be
known is not: the run was cut short, the journal is torn, a scheduled fault never struck, or fewer than 99%
of the requests outside fault windows were answered. Valid: neither.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from launch.verdict.findings import Findings
from launch.verdict.links import Event, check_kernel, check_links
from launch.verdict.requests import COUNTS, RequestStory, check_requests, stories
from shared.ledger_rows import LedgerRow

State = Literal["valid", "invalid", "unknown"]
EXIT_CODES: dict[str, int] = {"valid": 0, "invalid": 1, "unknown": 3}
MIN_ANSWERED = 0.99
"""Share of the requests outside fault windows that must be answered."""


@dataclass(frozen=True)
class Verdict:
    """`findings` are lines for people, faults first. `counts` as in `summary.json`, and `unresolved`."""

    state: State
    findings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    connections_compared: int = 0

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.state]


def check(
    journal_events: Sequence[Event],
    ledger_rows: Iterable[LedgerRow],
    *,
    torn_lines: int = 0,
    planned: int | None = None,
    whole_run_faults: Sequence[str] = (),
) -> Verdict:
    """Judge a run.

    Args:
        journal_events: whole events in file order.
        ledger_rows: rows of all ends; several incarnations of an end are already added up.
        torn_lines: lines of the journal that could not be read.
        planned: requests in the workload file; None when the requests came from outside.
        whole_run_faults: drop reasons of losses that were active all the time: their window is the run.
    """
    findings = Findings()
    rows = list(ledger_rows)
    counts = check_requests(journal_events, findings)
    settled = _drained(journal_events)
    check_links(rows, journal_events, settled, findings)
    compared = check_kernel(journal_events, findings) if settled else 0
    if torn_lines:
        findings.doubt("torn journal", f"{torn_lines} lines cannot be read")
    if not counts["attempted"]:
        findings.doubt("nothing asked", "the journal holds no request")
    elif not rows:
        findings.doubt("no ledger", "no end has left counters")
    if not settled:
        findings.doubt("cut short", "the base station did not drain")
    for event in journal_events:
        if event.get("event") == "process" and event.get("what") == "interrupted":
            findings.doubt("cut short", f"interrupted: {event.get('detail', '')}")
    if planned is not None and counts["attempted"] < planned and counts["attempted"]:
        findings.doubt("cut short", f"{counts['attempted']} of {planned} planned requests were invoked")
    for reason in whole_run_faults:
        if not any(row.key.reason == reason and row.values.frames for row in rows):
            findings.doubt("fault without effect", f"{reason} was scheduled and never struck")
    _check_fault_events(journal_events, findings)
    if not whole_run_faults:
        _check_answered(journal_events, findings)
    state: State = "invalid" if findings.faults else "unknown" if findings.doubts else "valid"
    return Verdict(state, findings.lines(), counts, compared)


def _drained(events: Iterable[Event]) -> bool:
    """The base station's last word on draining comes after the last request."""
    drained = False
    for event in events:
        if event.get("event") == "invoke":
            drained = False
        elif event.get("event") == "process" and event.get("role") == "bs" and event.get("what") == "drained":
            drained = True
    return drained


def _check_fault_events(events: Iterable[Event], findings: Findings) -> None:
    for event in events:
        if event.get("event") == "fault" and event.get("what") == "end" and event.get("strikes") == 0:
            findings.doubt("fault without effect", f"{event.get('fault', 'a fault')} never struck")


def _check_answered(events: Sequence[Event], findings: Findings) -> None:
    """At least 99% of what was asked outside fault windows was answered; users' own bad input aside."""
    windows = _fault_windows(events)
    outside = [
        story
        for story in stories(events).values()
        if story.invoke is not None
        and not _is_bad_input(story)
        and not any(window.touches(story) for window in windows)
    ]
    answered = sum(story.state == "answered" for story in outside)
    if outside and answered < MIN_ANSWERED * len(outside):
        findings.doubt(
            "too few answered",
            f"{answered} of {len(outside)} requests outside fault windows ({answered / len(outside):.1%}), "
            f"at least {MIN_ANSWERED:.0%} are expected",
        )


def _is_bad_input(story: RequestStory) -> bool:
    return story.state == "refused" and str(story.ends[0].get("reason", "")).startswith("bad_input")


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of the journal in which a fault was active, by places of events and by their times (s).

    By both: a full disk delays lines. `user`: the only one whom it can have harmed; None: everybody.
    """

    start: int
    end: int
    start_s: float
    end_s: float
    user: int | None

    def touches(self, story: RequestStory) -> bool:
        """A request that was asked meanwhile, or was open when it began."""
        if self.user is not None and story.user != self.user:
            return False
        asked_s = _time(story.invoke or {}, -math.inf)
        ended_s = _time(story.ends[0], math.inf) if story.ends else math.inf
        by_place = self.start <= story.ended_at and story.invoked_at <= self.end
        return by_place or (self.start_s <= ended_s and asked_s <= self.end_s)


def _fault_windows(events: Sequence[Event]) -> list[_Window]:
    windows: list[_Window] = []
    opened: dict[Any, tuple[int, Event]] = {}
    for place, event in enumerate(events):
        if event.get("event") != "fault":
            continue
        if event.get("what") == "heal":
            windows += [_window(start, (place, event)) for start in opened.values()]
            opened.clear()
        elif event.get("what") == "end":
            windows.append(_window(opened.pop(event.get("fault"), (place, event)), (place, event)))
        else:
            opened.setdefault(event.get("fault"), (place, event))
    return windows + [_window(start, (len(events), {})) for start in opened.values()]


def _window(start: tuple[int, Event], end: tuple[int, Event]) -> _Window:
    on = str(start[1].get("on", ""))
    user = int(on[3:]) if on.startswith("ue-") else None
    return _Window(start[0], end[0], _time(start[1], math.inf), _time(end[1], math.inf), user)


def _time(event: Event, otherwise: float) -> float:
    return float(event.get("t", otherwise))
