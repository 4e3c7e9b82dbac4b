"""A run's schedule of faults as lines for people: seed, and what begins when, for how long, on whom."""

from collections.abc import Iterator, Mapping
from typing import Any

from launch.chaos.entries import lasts_s
from shared.config import RunConfig
from shared.process_fault_config import ProcessFault

_TOLD = ("fault", "at_s", "for_s", "role", "users", "direction", "classes")


def schedule_lines(config: RunConfig) -> Iterator[str]:
    """In order of time."""
    faults = (*config.channel.faults, *config.process_faults)
    chaos = config.chaos
    heal = "" if chaos is None else f", healed after {chaos.heal_s:g} s, well {chaos.drain_s:g} s later"
    yield f"seed {config.seed}: {len(faults)} faults{heal}"
    for fault in sorted(faults, key=lambda f: f.at_s):
        lasts = f" for {lasts_s(fault):g} s" if lasts_s(fault) else ""
        own = {k: v for k, v in fault.model_dump().items() if k not in _TOLD}
        yield f"{fault.at_s:7.2f} s  {fault.fault}{lasts} on {_whom(fault)}{_parameters(own)}"


def _whom(fault: Any) -> str:
    if isinstance(fault, ProcessFault):
        return fault.role
    users = "all users" if fault.users is None else f"users {', '.join(map(str, fault.users))}"
    return f"{users}, {fault.direction}, {'+'.join(fault.classes)}"


def _parameters(own: Mapping[str, Any]) -> str:
    return "".join(f", {key} {value}" for key, value in own.items() if value is not None)
