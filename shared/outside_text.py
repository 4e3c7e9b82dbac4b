"""What comes from outside as text: its lines, JSON from it, and lines for people that quote it."""

import json
from collections.abc import Iterator
from typing import Any, Final, TextIO

MAX_LINE_CHARS: Final = 2**20


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a file. Raises ValueError for one that is too long, as a device's may be."""
    number = 0
    while line := file.readline(MAX_LINE_CHARS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARS:
            raise ValueError(f"line {number}: expected at most {MAX_LINE_CHARS} characters")
        yield line


def parse_json(text: str | bytes) -> Any:
    """A JSON value. Raises ValueError and nothing else, also for what is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def one_line(what: object, at_most: int = 200) -> str:
    """One printable line of so many characters at most, whatever a person or a library wrote."""
    words = " ".join(str(what).split())[:at_most]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)[:at_most]


def shown(value: object, at_most: int = 40) -> str:
    """A value as Python would write it, on one line of so many characters at most."""
    try:
        return one_line(repr(value), at_most)
    except (RecursionError, ValueError):  # nested too deep, or an integer of too many digits
        return f"{type(value).__name__} too large to show"
