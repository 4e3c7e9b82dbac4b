"""Field checks for messages: each field of a message declares its type and its bounds, once.

A check returns the accepted value (lists become tuples, as msgpack knows no tuples) or raises
`LocalProtocolError`; the codec turns that into `ProtocolError` when the value came from a peer.
"""

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any

from shared.wire.errors import LocalProtocolError

Check = Callable[[str, Any], Any]

MAX_USERS = 65_536
MAX_TEXT_CHARS = 4_096
MAX_PAYLOAD_BYTES = 64 * 2**20
MAX_LIST = 4_096


def _fail(name: str, expected: str, value: object) -> LocalProtocolError:
    return LocalProtocolError(f"{name}: expected {expected}, received {str(value)[:80]!r}")


def integer(low: int, high: int) -> Any:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _fail(name, f"an integer in [{low}, {high}]", value)
        return value

    return field(metadata={"check": check, "doc": f"integer in [{low}, {high}]"})


def number(low: float = -math.inf, high: float = math.inf) -> Any:
    """A finite float in [low, high]."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _fail(name, "a number", value)
        if not math.isfinite(value) or not low <= value <= high:
            raise _fail(name, f"a finite number in [{low}, {high}]", value)
        return float(value)

    return field(metadata={"check": check, "doc": f"finite float in [{low}, {high}]"})


def text(max_chars: int) -> Any:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > max_chars:
            raise _fail(name, f"text of at most {max_chars} characters", value)
        return value

    return field(metadata={"check": check, "doc": f"text, at most {max_chars} characters"})


def one_of(*words: str) -> Any:
    def check(name: str, value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise _fail(name, f"one of {', '.join(words)}", value)
        return value

    return field(metadata={"check": check, "doc": "one of " + ", ".join(words)})


def flag() -> Any:
    def check(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _fail(name, "true or false", value)
        return value

    return field(metadata={"check": check, "doc": "boolean"})


def payload(max_bytes: int = MAX_PAYLOAD_BYTES) -> Any:
    """The second part of the message: raw bytes, never copied into the header."""

    def check(name: str, value: Any) -> bytes | memoryview:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise _fail(name, "bytes", type(value).__name__)
        size = value.nbytes if isinstance(value, memoryview) else len(value)
        if size > max_bytes:
            raise _fail(name, f"at most {max_bytes} bytes", f"{size} bytes")
        return bytes(value) if isinstance(value, bytearray) else value

    return field(metadata={"check": check, "payload": True, "doc": f"payload, at most {max_bytes} bytes"})


def array_of(item: Any, max_items: int = MAX_LIST) -> Any:
    """A tuple of at most `max_items` values that each pass the check of the field `item`."""
    inner: Check = item.metadata["check"]

    def check(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > max_items:
            raise _fail(name, f"a list of at most {max_items}", value)
        try:
            return tuple([inner(name, v) for v in value])
        except LocalProtocolError:  # again, to say which of them it is
            return tuple(inner(f"{name}[{i}]", v) for i, v in enumerate(value))

    return field(metadata={"check": check, "doc": f"list of at most {max_items}: {item.metadata['doc']}"})


def in_all(item: Any, most: int, size_of: Callable[[Any], int], what: str) -> Any:
    """`item`, with at most `most` of something in all: lists of lists need more than a bound on each."""
    inner: Check = item.metadata["check"]

    def check(name: str, value: Any) -> Any:
        accepted = inner(name, value)
        if size_of(accepted) > most:
            raise _fail(name, f"at most {most} {what} in all", f"{size_of(accepted)}")
        return accepted

    return field(metadata={"check": check, "doc": f"{item.metadata['doc']}; at most {most} {what} in all"})


def record(*items: Any) -> Any:
    """A tuple of fixed length whose places each have their own check."""
    checks: list[Check] = [item.metadata["check"] for item in items]

    def check(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            raise _fail(name, f"{len(checks)} values", value)
        return tuple(c(f"{name}[{i}]", v) for i, (c, v) in enumerate(zip(checks, value, strict=True)))

    return field(metadata={"check": check, "doc": "(" + ", ".join(i.metadata["doc"] for i in items) + ")"})


def optional(item: Any) -> Any:
    inner: Check = item.metadata["check"]

    def check(name: str, value: Any) -> Any:
        return None if value is None else inner(name, value)

    return field(metadata={"check": check, "doc": "null or " + item.metadata["doc"]})


def default(item: Any, value: Any) -> Any:
    """`item`, with the value it has when a message is built without it. On the wire it is always there."""
    return field(default=value, metadata=item.metadata)


def mapping(max_items: int = MAX_LIST) -> Any:
    """A map of text to plain numbers or text: samples of counters, timings in milliseconds."""

    def check(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > max_items:
            raise _fail(name, f"a map of at most {max_items}", value)
        for key, entry in value.items():
            if not isinstance(key, str) or len(key) > 512:
                raise _fail(name, "text keys of at most 512 characters", key)
            if isinstance(entry, float) and not math.isfinite(entry):
                raise _fail(f"{name}.{key}", "a finite number", entry)
            if not isinstance(entry, str | int | float | bool) or (
                isinstance(entry, str) and len(entry) > 4096
            ):
                raise _fail(f"{name}.{key}", "a number or a text", entry)
        return value

    return field(metadata={"check": check, "doc": f"map of at most {max_items} entries"})
