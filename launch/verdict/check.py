"""The verdict on a run: valid, invalid or unknown, and why.

Invalid: a rule is broken, whatever else is known. Unknown: no rule is broken, but something that must be
known is not: the run was cut short, a host was lost, the journal is torn, a scheduled fault never struck,
fewer than 99% of the requests outside fault windows were answered, or nothing under faults or after them.
Valid: neither.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from launch.verdict.faults import check_answered, check_effects, check_recovery
from launch.verdict.findings import Findings
from launch.verdict.links import Event, check_kernel, check_links
from launch.verdict.requests import COUNTS, check_requests
from shared.ledger_rows import LedgerRow

State = Literal["valid", "invalid", "unknown"]
EXIT_CODES: dict[str, int] = {"valid": 0, "invalid": 1, "unknown": 3}
_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("user", "bytes_sent", "bytes_retrans", "bytes_received"), (int,)),
    **dict.fromkeys(("ledger_sent", "ledger_received"), (int,)),
    **dict.fromkeys(("what", "fault"), (str,)),
    "later": (list, tuple),
}


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
    drain_s: float | None = None,
) -> Verdict:
    """Judge a run.

    Args:
        journal_events: whole events in file order.
        ledger_rows: rows of all ends; several incarnations of an end are already added up.
        torn_lines: lines of the journal that could not be read.
        planned: requests in the workload file; None when the requests came from outside.
        whole_run_faults: drop reasons of losses that were active all the time: their window is the run.
        drain_s: of a scenario: how long after the heal everybody must be served again.
    """
    findings = Findings()
    rows = list(ledger_rows)
    legible = [event for event in journal_events if _is_legible(event)]
    torn_lines += len(journal_events) - len(legible)
    journal_events = legible
    counts = check_requests(journal_events, findings)
    settled = _drained(journal_events)
    check_links(rows, journal_events, settled, findings)
    compared = check_kernel(rows, journal_events, findings) if settled else 0
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
        if event.get("event") == "process" and event.get("what") == "host_lost":
            findings.doubt("host lost", str(event.get("detail", "")))
    if planned is not None and counts["attempted"] < planned and counts["attempted"]:
        findings.doubt("cut short", f"{counts['attempted']} of {planned} planned requests were invoked")
    check_effects(journal_events, rows, whole_run_faults, findings)
    if not whole_run_faults:
        check_answered(journal_events, findings)
    if drain_s is not None:
        check_recovery(journal_events, drain_s, findings)
    state: State = "invalid" if findings.faults else "unknown" if findings.doubts else "valid"
    return Verdict(state, findings.lines(), counts, compared)


def _is_legible(event: Event) -> bool:
    """Whether the fields that the verdict works with are what the roles write."""
    for name, kinds in _FIELDS.items():
        value = event.get(name)
        if value is not None and not isinstance(value, kinds):
            return False
        if isinstance(value, int) and abs(value) >= 2**63:
            return False
    return True


def _drained(events: Iterable[Event]) -> bool:
    """The base station's last word on draining comes after the last request."""
    drained = False
    for event in events:
        if event.get("event") == "invoke":
            drained = False
        elif event.get("event") == "process" and event.get("role") == "bs" and event.get("what") == "drained":
            drained = True
    return drained
