"""A fault of one's own: a module that `fault` names, and that has a FAULT."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from shared.own_module import from_own_module


@dataclass(frozen=True, slots=True)
class FaultKind:
    """`config`: its keys, derived from `shared.fault_config.Aim`; `make`: of a config and a seed, the fault,
    a `channel_emulator.faults.fault.Fault`."""

    config: type[BaseModel]
    make: Callable[[Any, int], Any]


def own_fault(name: str, known: Iterable[str]) -> FaultKind:
    """Raises ValueError, one line, for a name that is no module with a FAULT."""
    return from_own_module(name, "FAULT", FaultKind, "fault", known)
