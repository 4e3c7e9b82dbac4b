"""A run's configuration from a YAML file: the only door.

An unknown key, a wrong type or an impossible combination is a `ConfigError` of one line that names the key
and, for an unknown one, the nearest known.
"""

import difflib
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from shared.channel_config import InterferenceConfig
from shared.config import RunConfig
from shared.fault_config import FAULT_CONFIGS, OwnFaultConfig
from shared.outside_text import one_line
from shared.process_fault_config import PROCESS_FAULT_CONFIGS
from shared.yaml_door import YamlError, parse_yaml

MAX_CHARS: Final = 2**22
"""Of a file; the longest SNR trace, written out, has half of that."""
_MAX_KEY_CHARS: Final = 100  # of an unknown key that the known ones are compared with


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is one line for the person who wrote it."""


_TAGGED = {**FAULT_CONFIGS, **PROCESS_FAULT_CONFIGS, "own": OwnFaultConfig}
_TAGS = {*_TAGGED, "listed"}


def load_config(path: Path | str, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML file, apply `a.b=value` overrides, check. Raises `ConfigError`."""
    data = read_map(Path(path), "configuration")
    for override in overrides:
        _apply_override(data, override)
    return parse_config(data, str(path))


def read_map(path: Path, what: str) -> dict[str, Any]:
    """A YAML file with a map at its top; an empty one is an empty map. Raises `ConfigError`."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARS + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such {what} file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    if len(text) > MAX_CHARS:
        raise ConfigError(f"{path}: expected at most {MAX_CHARS} characters")
    try:
        data = parse_yaml(text)
    except YamlError as error:
        raise ConfigError(f"{path}: not YAML ({error})") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a map of keys at the top")
    return data


def parse_config(data: dict[str, Any], where: str) -> RunConfig:
    """Check a plain map; `where` is what error messages call it."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_error(error)}") from None


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
        node[last] = parse_yaml(value)
    except YamlError:
        raise ConfigError(f"--set {override}: the value is not YAML") from None


def first_error(error: ValidationError, model: type[BaseModel] = RunConfig) -> str:
    """The first thing that is wrong: where it is in `model`, and what was expected."""
    errors = error.errors()  # a misspelt key is often one that is missing, too: the former says more
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    place = one_line(".".join(str(part) for part in first["loc"] if part not in _TAGS))
    if first["type"] == "extra_forbidden":
        wrong = str(first["loc"][-1])[:_MAX_KEY_CHARS]
        near = difflib.get_close_matches(wrong, _known_keys(model, first["loc"][:-1]), n=1, cutoff=0.0)
        return f"unknown key {place}" + (f" (nearest known: {near[0]})" if near else "")
    if first["type"].startswith("union_tag"):
        known = PROCESS_FAULT_CONFIGS if "process_faults" in first["loc"] else FAULT_CONFIGS
        return f"{place}.fault: expected one of {', '.join(known)}"
    message = one_line(first["msg"].removeprefix("Value error, "), 400)
    return f"{place}: {message}" if place else message


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for name in path:
        inner = model.model_fields[str(name)].annotation if str(name) in model.model_fields else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        else:
            model = {"interference": InterferenceConfig, **_TAGGED}.get(str(name), model)
    return list(model.model_fields)
