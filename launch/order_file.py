"""What was asked for, kept beside what comes of it: work in a folder is only continued as it was begun."""

import json
from pathlib import Path
from typing import Final

from launch.errors import LaunchError

ORDER_FILE: Final = "order.json"


def read_order(out: Path) -> dict[str, object]:
    """What was asked of the run in a folder. Raises `LaunchError`."""
    path = out / ORDER_FILE
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LaunchError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise LaunchError(f"{path}: not JSON ({error})") from None
    if not isinstance(held, dict):
        raise LaunchError(f"{path}: expected an object")
    return held


def claim(out: Path, asked: dict[str, object], resume: bool) -> None:
    """A folder holds one run: continuing it needs the same order. Raises `LaunchError`."""
    path = out / ORDER_FILE
    if path.exists():
        held = read_order(out)
        if not resume:
            raise LaunchError(f"--out {out}: holds a run; give --resume or another folder")
        for name, value in asked.items():
            if held.get(name) != value:
                raise LaunchError(f"--out {out}: {name} was {held.get(name)!r} there, now it is {value!r}")
        return
    if resume:
        raise LaunchError(f"--out {out}: no run to continue in it")
    if out.exists() and any(out.iterdir()):
        raise LaunchError(f"--out {out}: not empty, and without {ORDER_FILE}")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")
