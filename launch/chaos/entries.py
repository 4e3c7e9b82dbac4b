"""One line of a scenario: a fault, when, for how long, and on whom; to what a run's configuration has.

{at_s: 3, for_s: 2, fault: loss, on: {users: [1], direction: both, class: [private]}, probability: 0.3}
{at_s: 9, fault: kill, on: {role: bs}}
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from shared.config import RunConfig
from shared.config_file import ConfigError, first_error, parse_config
from shared.fault_config import FAULT_CONFIGS, FaultConfig, OwnFaultConfig, parse_fault
from shared.own_module import is_dotted
from shared.process_fault_config import (
    PROCESS_FAULT_CONFIGS,
    ProcessFaultConfig,
    parse_process_fault,
)

AnyFault = FaultConfig | ProcessFaultConfig
KINDS: Final = (*FAULT_CONFIGS, *PROCESS_FAULT_CONFIGS)
_ON_MESSAGES: Final = {"users": "users", "direction": "direction", "class": "classes"}
_ON_PROCESSES: Final = {"role": "role"}
T = TypeVar("T")


def fault_of(entry: Any, where: str) -> AnyFault:
    """Raises `ConfigError` that names the key, after `where`."""
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where}: expected a map with fault, at_s, for_s, on and the fault's parameters")
    kind = entry.get("fault")
    if kind not in KINDS and not (isinstance(kind, str) and is_dotted(kind)):
        known = f"expected one of {', '.join(KINDS)}, or a module that has a FAULT"
        raise ConfigError(f"{where}.fault: {known}")
    on_process = kind in PROCESS_FAULT_CONFIGS
    names = _ON_PROCESSES if on_process else _ON_MESSAGES
    fields = {str(key): value for key, value in entry.items() if key != "on"}
    for key in names.values():
        if key in fields:
            raise ConfigError(f"{where}.{key}: belongs into on: {{{', '.join(names)}: …}}")
    aim = entry.get("on", {})
    if not isinstance(aim, Mapping):
        raise ConfigError(f"{where}.on: expected a map with {', '.join(names)}")
    for key, value in aim.items():
        if key not in names:
            kinds = "processes" if on_process else "messages"
            raise ConfigError(f"{where}.on.{key}: {kind} is a fault on {kinds}, expected {', '.join(names)}")
        fields[names[key]] = value if key in ("role", "direction") or isinstance(value, list) else [value]
    try:
        return parse_process_fault(fields) if on_process else parse_fault(fields)
    except ValidationError as error:
        model = PROCESS_FAULT_CONFIGS[kind] if on_process else FAULT_CONFIGS.get(kind, OwnFaultConfig)
        raise ConfigError(f"{where}: {_as_written(first_error(error, model), names)}") from None


def checked_fault(entry: Any, config: RunConfig, where: str = "the fault") -> AnyFault:
    """As `fault_of`; and the run could have had it from the beginning. Raises `ConfigError`."""
    fault = fault_of({"at_s": 0.0, **entry} if isinstance(entry, Mapping) else entry, where)
    with_faults(config, [fault], where)
    return fault


def with_faults(config: RunConfig, faults: Iterable[AnyFault], where: str, **changes: Any) -> RunConfig:
    """The run with these faults too, and with other values at its top. Raises `ConfigError`."""
    data = config.model_dump(mode="json") | changes
    for fault in faults:
        on_process = fault.fault in PROCESS_FAULT_CONFIGS
        place = data["process_faults"] if on_process else data["channel"]["faults"]
        place.append(fault.model_dump(mode="json"))
    return parse_config(data, where)


def _as_written(line: str, names: Mapping[str, str]) -> str:
    """With the keys below `on` named as the scenario has them."""
    for written, key in names.items():
        if line.startswith(key):
            return f"on.{written}{line[len(key) :]}"
    return line


def healed_by(fault: AnyFault, heal_s: float, where: str) -> AnyFault:
    """The fault, ending by `heal_s` where it has no end of its own. Raises `ConfigError` for a later one."""
    end_s = fault.at_s + lasts_s(fault)
    if fault.at_s >= heal_s or end_s > heal_s:
        raise ConfigError(
            f"{where}: {fault.fault} ends after {end_s:g} s, expected at most heal_s {heal_s:g}"
        )
    endless = "for_s" in type(fault).model_fields and not lasts_s(fault)
    return copied(fault, for_s=heal_s - fault.at_s) if endless else fault


def lasts_s(fault: AnyFault) -> float:
    """0 for what has no end of its own."""
    return float(getattr(fault, "for_s", None) or 0.0)


def copied(fault: T, **changes: Any) -> T:
    """The same with other values, which are right by themselves."""
    assert isinstance(fault, BaseModel)
    return fault.model_copy(update=changes)
