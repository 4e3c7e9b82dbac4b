"""Modules of a person's own, which a configuration names by their dotted names: schemes, channels, faults."""

import importlib
import traceback
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def is_dotted(name: str) -> bool:
    """Whether it can be a module's: 'package.module'."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def from_own_module(name: str, attribute: str, kind: type[T], key: str, known: Iterable[str]) -> T:
    """What the module says in `attribute`. Raises ValueError, one line that begins with `key`."""
    expected = f"expected one of {', '.join(known)}, or a module that has a {attribute}"
    if not is_dotted(name):
        raise ValueError(f"{key}: {name!r} is not known, {expected}")
    try:
        found = getattr(importlib.import_module(name), attribute, None)
    except Exception as error:  # noqa: BLE001 - whatever a person's own module may do
        raise ValueError(f"{key}: {name} cannot be imported ({_told(error)}), {expected}") from None
    if not isinstance(found, kind):
        raise ValueError(f"{key}: {name} has no {attribute}, {expected}")
    return found


def _told(error: Exception) -> str:
    """What is wrong and, unless something is missing that was to be imported, where; one line."""
    if isinstance(error, ImportError):
        return " ".join(str(error).split())
    file, line = _place(error)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(f"{type(error).__name__}: {said} at {file}, line {line}".split())


def _place(error: Exception) -> tuple[str, int | None]:
    """File and line of the statement that failed."""
    if isinstance(error, SyntaxError):
        return str(error.filename), error.lineno
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename, last.lineno
