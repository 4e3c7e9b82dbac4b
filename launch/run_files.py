"""Reading what the roles of a run left behind; whatever is missing or torn is said, never fatal."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.journal import JournalError, read_journal
from shared.ledger import LedgerError, LedgerRow, merge, read_counters
from shared.outside_text import parse_json


@dataclass
class RunFiles:
    """`notes` are lines on what could not be read."""

    events: list[dict[str, Any]] = field(default_factory=list)
    torn_lines: int = 0
    rows: list[LedgerRow] = field(default_factory=list)
    workload: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_run(run_dir: Path) -> RunFiles:
    """Journal, counters of all role incarnations (added up), and workload of a run folder."""
    files = RunFiles()
    try:
        journal = read_journal(run_dir / "journal.jsonl")
        files.events, files.torn_lines = journal.events, len(journal.torn)
    except JournalError as error:
        files.notes.append(str(error))
    files.rows, notes = read_counters_of(run_dir)
    files.notes += notes
    files.workload = read_workload(run_dir, files.notes)
    return files


def read_counters_of(run_dir: Path) -> tuple[list[LedgerRow], list[str]]:
    """The counters of all role incarnations, living or dead, added up; and what could not be read."""
    rows: list[LedgerRow] = []
    notes: list[str] = []
    for path in sorted((run_dir / "counters").glob("*.bin")):
        try:
            rows += read_counters(path)
        except LedgerError as error:
            notes.append(str(error))
    return merge(rows), notes


def read_workload(run_dir: Path, notes: list[str]) -> list[dict[str, Any]]:
    """The entries of `workload.jsonl`; why there are none is added to `notes`."""
    path = run_dir / "workload.jsonl"
    if not path.exists():
        return []
    try:
        entries = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        notes.append(f"{path}: cannot be read ({error})")
        return []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("index"), int)]
