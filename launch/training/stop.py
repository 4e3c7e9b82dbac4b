"""How a training is told to stop: by a file in its folder, which all its workers see."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from launch.child import run_child

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


def train_apart(work: str, options: Mapping[str, Any], out: Path, again: str) -> int:
    """Run the training function `work` ('module:name') as a child; a stop signal ends it with a checkpoint.

    Returns the exit code; `again` tells people what goes on with what was stopped. Main thread only.
    """
    forget_to_stop(out)
    try:
        return run_child(work, options, again, lambda child: ask_to_stop(out))
    finally:
        forget_to_stop(out)
