"""One process at a time in a folder; the lock ends with the process that holds it, however that ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from launch.errors import LaunchError


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
