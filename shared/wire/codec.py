"""Messages to multipart frames and back. Nothing that arrives can raise anything but `ProtocolError`.

    part 0   magic 'M4' | version u8 | flags u8 (0) | body length u32 | CRC-32 u32 | body   (big-endian)
    part 1   the payload, only for messages that have one (it may be empty)

The body is a msgpack map {'k': kind, field: value, ...} with exactly the message's fields. The CRC covers
the eight bytes before it and the body; the payload has none: a corrupt analog payload is the experiment.
Sizes are checked before anything is parsed. A payload is never copied.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import msgpack

from shared.wire.errors import LocalProtocolError, ProtocolError
from shared.wire.fields import MAX_PAYLOAD_BYTES
from shared.wire.messages import BY_KIND, MAX_HEADER_BYTES, PROTOCOL_VERSION, Message

MAGIC = b"M4"
PREFIX_BYTES = 12
REASONS = (
    "bad_parts", "oversize", "truncated", "bad_magic", "bad_version", "bad_flags", "bad_checksum",
    "bad_header", "unknown_kind", "bad_field",
)  # fmt: skip
"""Every `ProtocolError.reason` that `decode` gives."""

_LEAD = struct.Struct(">2sBBI")
_CRC = struct.Struct(">I")
_MAX_ITEMS = 65_536  # the longest list or map of any message
_MAX_HEADER_PART = PREFIX_BYTES + MAX_HEADER_BYTES

Part = bytes | memoryview


def _layout(kind: type[Message]) -> tuple[tuple[str, ...], str | None]:
    """Names of the header's fields and of the payload field, if any."""
    payload = [f.name for f in fields(kind) if f.metadata.get("payload")]
    return tuple(f.name for f in fields(kind) if f.name not in payload), (payload[0] if payload else None)


_LAYOUTS = {name: _layout(kind) for name, kind in BY_KIND.items()}
_NAMES = {name: frozenset(layout[0]) for name, layout in _LAYOUTS.items()}


def encode(message: Message) -> list[Part]:
    """[header] or [header, payload]; the payload is the message's own object.

    Raises `LocalProtocolError` for a message that cannot be put on the wire (a bug on our side).
    """
    names, payload_name = _LAYOUTS[message.KIND]
    content: dict[str, Any] = {"k": message.KIND}
    for name in names:
        content[name] = getattr(message, name)
    try:
        body: bytes = msgpack.packb(content, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:  # UnicodeEncodeError is a ValueError
        raise LocalProtocolError(f"{message.KIND}: cannot be packed ({error})") from None
    if len(body) > MAX_HEADER_BYTES:
        raise LocalProtocolError(
            f"{message.KIND}: expected a header of at most {MAX_HEADER_BYTES} bytes, it has {len(body)}"
        )
    lead = _LEAD.pack(MAGIC, PROTOCOL_VERSION, 0, len(body))
    header = lead + _CRC.pack(zlib.crc32(body, zlib.crc32(lead))) + body
    if payload_name is None:
        return [header]
    return [header, getattr(message, payload_name)]


def decode(parts: Sequence[Part]) -> Message:
    """The message in these parts; its payload is part 1 itself. Raises `ProtocolError` and nothing else."""
    if not 1 <= len(parts) <= 2:
        raise ProtocolError("bad_parts", "1 or 2 parts", str(len(parts)))
    if _size(parts[0]) > _MAX_HEADER_PART:
        raise ProtocolError("oversize", f"a header of at most {_MAX_HEADER_PART} bytes", str(_size(parts[0])))
    if len(parts) == 2 and _size(parts[1]) > MAX_PAYLOAD_BYTES:
        raise ProtocolError(
            "oversize", f"a payload of at most {MAX_PAYLOAD_BYTES} bytes", str(_size(parts[1]))
        )
    content = _unpack(_checked_body(bytes(parts[0])))
    kind = content.pop("k", None)
    if not isinstance(kind, str) or kind not in BY_KIND:
        raise ProtocolError("unknown_kind", "a kind of message", _short(kind))
    payload_name = _LAYOUTS[kind][1]
    if len(parts) != (1 if payload_name is None else 2):
        raise ProtocolError(
            "bad_parts", f"{1 if payload_name is None else 2} parts of {kind}", str(len(parts))
        )
    if content.keys() != _NAMES[kind]:
        different = content.keys() ^ _NAMES[kind]
        raise ProtocolError("bad_field", f"the fields of {kind}", f"missing or unknown: {_short(different)}")
    if payload_name is not None:
        content[payload_name] = parts[1]
    try:
        return BY_KIND[kind](**content)
    except LocalProtocolError as error:
        raise ProtocolError("bad_field", "valid fields", str(error)) from None
    except RecursionError:  # from printing a value of a thousand nested lists
        raise ProtocolError("bad_field", "flat fields", f"deep nesting in {kind}") from None


def is_sound(header: bytes) -> bool:
    """Whether a header's lead, length and checksum are right."""
    try:
        _checked_body(header)
    except ProtocolError:
        return False
    return True


def _checked_body(header: bytes) -> bytes:
    if len(header) < PREFIX_BYTES:
        raise ProtocolError("truncated", f"at least {PREFIX_BYTES} bytes", str(len(header)))
    magic, version, flags, length = _LEAD.unpack_from(header)
    if magic != MAGIC:
        raise ProtocolError("bad_magic", MAGIC.hex(), magic.hex())
    if version != PROTOCOL_VERSION:
        raise ProtocolError("bad_version", str(PROTOCOL_VERSION), str(version))
    if flags != 0:
        raise ProtocolError("bad_flags", "0", str(flags))
    body = header[PREFIX_BYTES:]
    if length != len(body):
        raise ProtocolError("truncated", f"a body of {length} bytes", str(len(body)))
    if zlib.crc32(body, zlib.crc32(header[: _LEAD.size])) != _CRC.unpack_from(header, _LEAD.size)[0]:
        raise ProtocolError("bad_checksum", "the checksum of the header", "another")
    return body


def _unpack(body: bytes) -> dict[str, Any]:
    try:
        content = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_without_duplicates,
            max_str_len=MAX_HEADER_BYTES,
            max_bin_len=0,  # bytes travel as the payload only
            max_ext_len=0,
            max_array_len=min(_MAX_ITEMS, len(body)),
            max_map_len=min(_MAX_ITEMS, len(body)),
        )
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise ProtocolError("bad_header", "a msgpack map", str(error)[:200]) from None
    if not isinstance(content, dict):
        raise ProtocolError("bad_header", "a msgpack map", type(content).__name__)
    return content


def _without_duplicates(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key occurs twice")
    return content


def _size(part: Part) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)


def _short(value: object) -> str:
    try:
        return str(value)[:80]
    except RecursionError:
        return "deep nesting"
