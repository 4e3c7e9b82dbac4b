"""What a restarted emulator takes over from the journal: the clock of the faults, and where each is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from shared.fault_config import FaultConfig, parse_fault

FIRST_MESSAGE: Final = "first_message"
"""What the emulator's process event says when the clock of the faults begins."""


@dataclass(frozen=True, slots=True)
class FaultMemory:
    """`zero_s`: when the first message passed, if one has. `injected`: in order, beyond the configuration."""

    zero_s: float | None = None
    begun: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    struck: frozenset[str] = frozenset()
    injected: tuple[FaultConfig, ...] = ()


def remember(journal: Iterable[bytes]) -> FaultMemory:
    """From the lines of a journal; a torn last line, as a crash may leave it, is passed over."""
    zero_s: float | None = None
    names: dict[str, set[str]] = {"begin": set(), "end": set(), "strike": set()}
    injected: list[FaultConfig] = []
    for line in journal:
        entry = _entry(line)
        if entry is None or entry.get("role") != "ce":
            continue
        what, fault = entry.get("what"), entry.get("fault")
        if entry.get("event") == "process" and what == FIRST_MESSAGE and zero_s is None:
            zero_s = float(entry["t"])
        elif entry.get("event") == "fault" and isinstance(what, str) and isinstance(fault, str):
            names.get(what, set()).add(fault)
            if what == "inject":
                injected.append(parse_fault(entry["config"]))
    begun, ended, struck = (frozenset(found) for found in names.values())
    return FaultMemory(zero_s, begun, ended, struck, tuple(injected))


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
