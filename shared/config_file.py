"""A run's configuration from a YAML file: the only door.

An unknown key, a wrong type or an impossible combination is a `ConfigError` of one line that names the key
and, for an unknown one, the nearest known.
"""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from shared.config import InterferenceConfig, RunConfig
from shared.fault_config import FAULT_CONFIGS
from shared.process_fault_config import PROCESS_FAULT_CONFIGS


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is one line for the person who wrote it."""


_TAGGED = {**FAULT_CONFIGS, **PROCESS_FAULT_CONFIGS}


def load_config(path: Path | str, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML file, apply `a.b=value` overrides, check. Raises `ConfigError`."""
    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a map of keys at the top")
    for override in overrides:
        _apply_override(data, override)
    return parse_config(data, str(path))


def parse_config(data: dict[str, Any], where: str) -> RunConfig:
    """Check a plain map; `where` is what error messages call it."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_one_line(error)}") from None


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override}: expected a.b=value")
    *parents, last = key.strip().split(".")
    node = data
    for name in parents:
        child = node.setdefault(name, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: {name} is not a section")
        node = child
    try:
        node[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {override}: the value is not YAML") from None


def _one_line(error: ValidationError) -> str:
    errors = error.errors()  # a misspelt key is often one that is missing, too: the former says more
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"] if part not in _TAGGED)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(
            str(first["loc"][-1]), _known_keys(first["loc"][:-1]), n=1, cutoff=0.0
        )
        return f"unknown key {place}" + (f" (nearest known: {near[0]})" if near else "")
    if first["type"].startswith("union_tag"):
        known = PROCESS_FAULT_CONFIGS if first["loc"][0] == "process_faults" else FAULT_CONFIGS
        return f"{place}.fault: expected one of {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = RunConfig
    for name in path:
        inner = model.model_fields[str(name)].annotation if str(name) in model.model_fields else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        else:
            model = {"interference": InterferenceConfig, **_TAGGED}.get(str(name), model)
    return list(model.model_fields)
