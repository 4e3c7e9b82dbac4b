"""How a training is told to stop: by a file in its folder, which all its workers see."""

import contextlib
from pathlib import Path
from typing import Final

STOP_FILE: Final = "stop"
"""The phase ends after the step that it is at, with a checkpoint."""


def ask_to_stop(out: Path) -> None:
    """A folder that is not there yet has nothing in it that could be stopped."""
    with contextlib.suppress(OSError):
        (out / STOP_FILE).touch()


def asked_to_stop(out: Path) -> bool:
    return (out / STOP_FILE).exists()


def forget_to_stop(out: Path) -> None:
    (out / STOP_FILE).unlink(missing_ok=True)
