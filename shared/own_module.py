"""Modules of a person's own, which a configuration names by their dotted names: schemes, channels, faults."""

import importlib
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
    except ImportError as error:
        raise ValueError(f"{key}: {name} cannot be imported ({error}), {expected}") from None
    if not isinstance(found, kind):
        raise ValueError(f"{key}: {name} has no {attribute}, {expected}")
    return found
