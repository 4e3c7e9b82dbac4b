"""A user's own requests: a JSONL file, every line checked before anything starts.

    {"text": "what color is the large cube?", "image": "kitchen.png", "user": 2, "expected": "red"}

`task` (default vqa), `user` (default: the users take turns), `arrival_s` (default: rounds), `expected`,
`kind`, `family` and `sample_id` may be left out. Image paths are relative to the file.
"""

import math
from pathlib import Path
from typing import Any

from basestation.image_door import BadInput, check_image
from basestation.workload_file import MAX_ARRIVAL_S, load_image_file
from launch.workload.arrivals import times_s
from launch.workload.plan import IMAGE_TASKS, VIRTUAL_ROUND_S
from shared.config import LimitsConfig, RunConfig
from shared.config_file import ConfigError
from shared.outside_text import lines_of, one_line, parse_json, shown
from shared.wire.messages import TASKS

TEXT_TASKS = ("vqa", "text_classification")
FIELDS = ("task", "text", "image", "user", "arrival_s", "expected", "kind", "family", "sample_id", "index")


def read_requests(path: Path, config: RunConfig) -> list[dict[str, Any]]:
    """All requests as workload entries, in order of arrival.

    Raises:
        ConfigError: one line that names the file, the line and what was expected.
    """
    entries: list[dict[str, Any]] = []
    images: dict[Path, None] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines_of(lines), start=1):
                if line.strip():
                    entries.append(
                        _entry(line, f"{path} line {number}", path.parent, config, len(entries), images)
                    )
                if len(entries) >= min(config.workload.requests, config.workload.limit or math.inf):
                    break
    except FileNotFoundError:
        raise ConfigError(f"workload.root: {path}: no such file") from None
    except ConfigError:
        raise
    except (OSError, ValueError) as error:  # not UTF-8, or a line too long
        raise ConfigError(f"workload.root: {path}: cannot be read ({error})") from None
    if not entries:
        raise ConfigError(f"workload.root: {path}: no requests in it")
    entries.sort(key=lambda entry: entry["arrival_s"])
    for index, entry in enumerate(entries):
        entry["index"] = index
    return entries


def _entry(
    line: str, where: str, folder: Path, config: RunConfig, place: int, images: dict[Path, None]
) -> dict[str, Any]:
    try:
        given = parse_json(line)
    except ValueError as error:
        raise ConfigError(f"{where}: not JSON ({error})") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{where}: expected an object")
    for key in given:
        if key not in FIELDS:
            raise ConfigError(f"{where}: unknown field {shown(key)}, expected some of {', '.join(FIELDS)}")
    task = given.get("task", "vqa")
    if task not in TASKS:
        raise ConfigError(f"{where}: task: {shown(task)} is none of {', '.join(TASKS)}")
    text = _text(given, "text", where, default="")
    if len(text) > config.limits.text_chars:
        raise ConfigError(f"{where}: text: {len(text)} characters, at most {config.limits.text_chars}")
    if not text and task in TEXT_TASKS:
        raise ConfigError(f"{where}: text: {task} needs one")
    user = given.get("user", place % config.users)
    if not isinstance(user, int) or isinstance(user, bool) or not 0 <= user < config.users:
        raise ConfigError(f"{where}: user: {shown(user)} is none of 0 to {config.users - 1}")
    arrival_s = given.get("arrival_s", _round_s(place // config.users, config))
    number = isinstance(arrival_s, int | float) and not isinstance(arrival_s, bool)
    if not number or not 0 <= arrival_s < MAX_ARRIVAL_S:
        raise ConfigError(f"{where}: arrival_s: expected seconds from the start, not {shown(arrival_s)}")
    image = _image(given.get("image"), where, folder, config.limits, task, images)
    expected = given.get("expected")
    if not isinstance(expected, str | int | float | None):
        raise ConfigError(f"{where}: expected: expected a text or a number, not {shown(expected)}")
    return {
        "index": place,
        "arrival_s": float(arrival_s),
        "user": user,
        "task": task,
        "text": text,
        "image": image,
        "expected": None if expected is None else str(expected),
        "kind": _text(given, "kind", where, default=task),
        "family": _text(given, "family", where, default="user"),
        "sample_id": _text(given, "sample_id", where, default=f"line-{place}"),
    }


def _round_s(number: int, config: RunConfig) -> float:
    """When a round begins."""
    workload = config.workload
    if not workload.rates_per_s:
        return number * VIRTUAL_ROUND_S
    return times_s([number * config.users], workload.rates_per_s, workload.requests)[0]


def _image(
    name: Any, where: str, folder: Path, limits: LimitsConfig, task: str, checked: dict[Path, None]
) -> str | None:
    if name is None:
        if task in IMAGE_TASKS:
            raise ConfigError(f"{where}: image: {task} needs one")
        return None
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: image: expected a path")
    if folder / name not in checked:
        try:
            data = load_image_file(name, folder, limits)
        except BadInput as error:
            raise ConfigError(f"{where}: {error}") from None
        try:
            check_image(data, limits)
        except BadInput as error:
            raise ConfigError(f"{where}: {one_line(name)}: {error}") from None
        checked[folder / name] = None
    return str((folder / name).resolve())


def _text(given: dict[str, Any], name: str, where: str, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {name}: expected a text, not {shown(value)}")
    return value
