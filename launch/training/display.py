"""What people see of a training while it runs: the lines that its workers add to the log, made readable."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from launch.training.record import LOG_FILE

LOOK_EVERY_S: Final = 1.0
FACTS: Final = ("phase", "step", "of", "spent_s")


@contextlib.contextmanager
def shown(out: Path) -> Iterator[None]:
    """Print every line that is added to the log in `out` meanwhile; what is in it already is not repeated."""
    path = out / LOG_FILE
    start = path.stat().st_size if path.exists() else 0
    ended = threading.Event()
    thread = threading.Thread(target=_follow, args=(path, start, ended), name="m4sc-training-log")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def readable(line: dict[str, Any]) -> str:
    """One line of the log for people: phase, step, times, then the figures."""
    step = f"{line['phase']:<9}{line['step']:>6,}"
    dev = "of" not in line
    figures = {name: value for name, value in line.items() if name not in FACTS}
    if dev:
        figures = {name.removeprefix("dev/"): value for name, value in figures.items()}
        place = "on data kept for choosing"
    else:
        left_s = line["spent_s"] * (line["of"] / line["step"] - 1)
        place = f"of {line['of']:,}  {_duration(line['spent_s'])}, {_duration(left_s)} left"
    said = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
    return f"{step} {place:<32}  {said}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _follow(path: Path, place: int, ended: threading.Event) -> None:
    last = False
    while not last:
        last = ended.wait(LOOK_EVERY_S)  # once more after the end: for what came since the last look
        if not path.exists():
            continue
        with path.open("rb") as file:
            file.seek(place)
            whole, newline, _ = file.read().rpartition(b"\n")
        place += len(whole) + len(newline)
        for text in whole.splitlines():
            print(readable(json.loads(text)), flush=True)
