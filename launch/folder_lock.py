"""One process at a time in a folder; the lock ends with the process that holds it, however that ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from launch.errors import LaunchError

_held: dict[tuple[int, int], int] = {}


def hold(folder: Path) -> None:
    """The lock of a folder that is there, until this process ends. Raises `LaunchError`, OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    stat = os.fstat(opened)
    if (stat.st_dev, stat.st_ino) in _held:
        os.close(opened)
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise LaunchError(f"{folder}: another process is writing into it") from None
    _held[stat.st_dev, stat.st_ino] = opened


@contextlib.contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder that is there; `wait` for whoever has it, else refuse.

    The folder itself is locked, so no file is left in it. Raises `LaunchError`, OSError.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    except BlockingIOError:
        raise LaunchError(f"{folder}: another process is writing into it") from None
    finally:
        os.close(opened)
