"""What every door owes: files of any bytes in, and one clear line for what is refused."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_COMPLAINT_CHARS = 1_000


def check_complaint(error: Exception, start: str = "") -> None:
    """Raises AssertionError unless the error is one printable line of bounded length, from `start` on."""
    text = str(error)
    if not text.startswith(start):
        raise AssertionError(f"a complaint that does not begin with {start!r}: {text[:400]!r}") from error
    if not text.isprintable():
        raise AssertionError(f"a complaint that cannot be printed as one line: {text[:400]!r}") from error
    if not 0 < len(text) <= MAX_COMPLAINT_CHARS:
        raise AssertionError(f"a complaint of {len(text)} characters: {text[:400]!r}") from error


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """A file in memory with these bytes, gone afterwards whatever happens to the process."""
    fd = os.memfd_create("input")
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
        yield Path(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
