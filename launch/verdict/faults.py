"""The faults' side of the verdict: did each strike, what do they excuse, and was all well after them?

A request that was open while a fault was active need not be answered; at least 99% of the others must be.
With a scenario, whoever asks later than its `drain_s` after the heal is answered, whole.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.verdict.findings import Findings
from launch.verdict.requests import RequestStory, stories
from shared.ledger_rows import LedgerRow

Event = Mapping[str, Any]
MIN_ANSWERED = 0.99
"""Share of the requests outside fault windows that must be answered."""
TOO_FEW = "too few answered"
"""The kind of that finding."""
BAD_INPUT = "bad_input"
"""How the reason begins for which a request is refused that no testbed could answer."""


def check_effects(
    events: Iterable[Event], rows: Sequence[LedgerRow], whole_run_faults: Iterable[str], findings: Findings
) -> None:
    """A fault that was scheduled and harmed nothing proves nothing."""
    for reason in whole_run_faults:
        if not any(row.key.reason == reason and row.values.frames for row in rows):
            findings.doubt("fault without effect", f"{reason} was scheduled and never struck")
    struck: set[Any] = set()
    for event in events:
        if event.get("event") != "fault":
            continue
        if event.get("what") == "strike" or event.get("strikes"):
            struck.add(event.get("fault"))
        elif event.get("what") == "end" and event.get("fault") not in struck:
            findings.doubt("fault without effect", f"{event.get('fault', 'a fault')} never struck")


def check_answered(events: Sequence[Event], findings: Findings) -> None:
    """At least 99% of what was asked outside fault windows was answered; users' own bad input aside."""
    windows = _fault_windows(events)
    outside = [s for s in _askable(events) if not any(window.touches(s) for window in windows)]
    answered = sum(story.state == "answered" for story in outside)
    if outside and answered < MIN_ANSWERED * len(outside):
        findings.doubt(
            TOO_FEW,
            f"{answered} of {len(outside)} requests outside fault windows ({answered / len(outside):.1%}), "
            f"at least {MIN_ANSWERED:.0%} are expected",
        )


def check_recovery(events: Sequence[Event], drain_s: float, findings: Findings) -> None:
    """Somebody was served under the faults, and everybody from `drain_s` after the heal on."""
    heal = next((place for place, event in enumerate(events) if _is_heal(event)), None)
    if heal is None:
        findings.doubt("no heal", "the run ended before its faults were healed")
        return
    asked = _askable(events)
    before = [story for story in asked if story.invoked_at < heal]
    if before and not any(story.state in ("answered", "degraded") for story in before):
        findings.doubt("nothing served", f"none of {len(before)} requests before the heal was answered")
    well_s = float(events[heal]["t"]) + drain_s
    after = [story for story in asked if story.invoke is not None and float(story.invoke["t"]) > well_s]
    if not after:
        findings.doubt("nothing asked", f"no request came later than {drain_s:g} s after the heal")
    for story in after:
        if story.state != "answered":
            later_s = float((story.invoke or {})["t"]) - well_s + drain_s
            findings.fault(
                "not recovered", f"{story.request_id}, asked {later_s:.1f} s after the heal, {_fared(story)}"
            )


def _askable(events: Sequence[Event]) -> list[RequestStory]:
    """Requests that a testbed which is well answers."""
    return [s for s in stories(events).values() if s.invoke is not None and not _is_bad_input(s)]


def _fared(story: RequestStory) -> str:
    if story.state is None:
        return "has no end"
    reason = str(story.ends[0].get("reason", ""))
    return f"ended {story.state}" + (f" ({reason})" if reason else "")


def _is_bad_input(story: RequestStory) -> bool:
    return story.state == "refused" and str(story.ends[0].get("reason", "")).startswith(BAD_INPUT)


def _is_heal(event: Event) -> bool:
    return event.get("event") == "fault" and event.get("what") == "heal"


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
    """A kill that is healed lasts until its role is ready; what has no end of its own ends with the heal."""
    windows: list[_Window] = []
    opened: dict[Any, tuple[int, Event]] = {}
    healed: dict[Any, tuple[int, Event]] = {}
    for place, event in enumerate(events):
        if event.get("event") != "fault":
            continue
        if event.get("what") == "heal":
            healed |= dict.fromkeys(opened, (place, event))
        elif event.get("what") == "end":
            windows.append(_window(opened.pop(event.get("fault"), (place, event)), (place, event)))
        elif event.get("what") == "begin":
            opened.setdefault(event.get("fault"), (place, event))
    last = (len(events), dict[str, Any]())
    return windows + [_window(start, healed.get(name, last)) for name, start in opened.items()]


def _window(start: tuple[int, Event], end: tuple[int, Event]) -> _Window:
    on = str(start[1].get("on", ""))
    user = int(on[3:]) if on.startswith("ue-") else None
    return _Window(start[0], end[0], _time(start[1], math.inf), _time(end[1], math.inf), user)


def _time(event: Event, otherwise: float) -> float:
    return float(event.get("t", otherwise))
