"""Scenario files: their keys, every fault with its parameters, and what a nemesis draws from."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from launch.chaos.draws import DRAWS
from launch.chaos.nemesis import Nemesis
from launch.chaos.scenario import ScenarioFile
from launch.reference.configuration import said_of
from launch.reference.markdown import code, table
from launch.reference.schema import keys_table, parameters
from shared.fault_config import FAULT_CONFIGS, Aim, AirAim
from shared.process_fault_config import PROCESS_FAULT_CONFIGS, ProcessFault

_AIM = frozenset(Aim.model_fields)
_HEAD = ("fault", "does", "its own parameters", "drawn")


def scenario_keys() -> str:
    return keys_table(ScenarioFile)


def nemesis_keys() -> str:
    return keys_table(Nemesis)


def aim_keys() -> str:
    return keys_table(Aim)


def message_faults() -> str:
    return _faults({n: m for n, m in FAULT_CONFIGS.items() if not issubclass(m, AirAim)}, _AIM)


def air_faults() -> str:
    return _faults({n: m for n, m in FAULT_CONFIGS.items() if issubclass(m, AirAim)}, _AIM)


def process_faults() -> str:
    return _faults(PROCESS_FAULT_CONFIGS, ())


def process_fault_keys() -> str:
    return keys_table(ProcessFault)


def _faults(models: Mapping[str, type[BaseModel]], common: Iterable[str]) -> str:
    return table(
        _HEAD,
        (
            (
                code(name),
                said_of(model),
                parameters(model, [n for n in model.model_fields if n not in {"fault", *common}]),
                "yes" if name in DRAWS else "",
            )
            for name, model in sorted(models.items())
        ),
    )
