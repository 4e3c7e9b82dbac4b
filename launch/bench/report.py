"""A bench's lines as JSON, and what became of an earlier one's."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from launch.bench.line import Line, more_is_better
from launch.environment import environment
from launch.errors import LaunchError

KIND: Final = "m4sc bench"


def machine() -> dict[str, Any]:
    """What the figures were measured on; other work on the machine shows in the load."""
    import torch

    return {
        **environment(),
        "torch_threads": torch.get_num_threads(),
        "torch_build": torch.__config__.show().splitlines()[-1].strip(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load_1_min": round(os.getloadavg()[0], 2),
    }


def as_document(lines: Sequence[Line], seed: int, rounds: int) -> dict[str, Any]:
    return {
        "kind": KIND,
        "seed": seed,
        "rounds": rounds,
        "machine": machine(),
        "lines": [line.as_json() for line in lines],
    }


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Whole or not at all. Raises `LaunchError`."""
    fresh = path.with_name(path.name + ".tmp")
    try:
        fresh.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(fresh, path)
    except OSError as error:
        raise LaunchError(f"--json {path}: cannot be written ({error.strerror})") from None


def read_old(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of an earlier `--json` by name. Raises `LaunchError` for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] != KIND:
            raise ValueError
        lines = {str(line["name"]): line for line in document["lines"]}
        for line in lines.values():
            for key in ("value", "ratio"):
                if not (isinstance(line[key], int | float) or (key == "ratio" and line[key] is None)):
                    raise ValueError
    except OSError as error:
        raise LaunchError(f"--compare {path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LaunchError(f"--compare {path}: expected a file that `m4sc bench --json` wrote") from None
    return lines


def change(line: Line, old: Mapping[str, Any] | None) -> float | None:
    """How many times better a line is than it was; None where there is nothing to compare.

    By ratios, where both have one: a machine that was busier then was so for the reference too.
    """
    if old is None:
        return None
    if line.ratio is not None and old["ratio"]:
        return line.ratio.median / float(old["ratio"])
    before = float(old["value"])
    if not before or not line.value.median:
        return None
    better = line.value.median / before
    return better if more_is_better(line.unit) else 1.0 / better
