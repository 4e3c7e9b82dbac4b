"""Multipart frames: the first byte says what the rest is; the last bit, whether a payload follows.

0, 1: the header part as it is. 2, 3: the body of a header that is whole otherwise, so that mutations
reach behind the checksum.
"""

import struct
import zlib

from shared.wire.codec import PREFIX_BYTES, REASONS, decode, encode
from shared.wire.errors import ProtocolError
from shared.wire.messages import BY_KIND, PROTOCOL_VERSION
from tests.unit.shared.samples import every_message

_ENCODED = [encode(message) for message in every_message()]
SEEDS = (
    *(bytes([len(parts) - 1]) + bytes(parts[0]) for parts in _ENCODED),
    *(bytes([len(parts) + 1]) + bytes(parts[0])[PREFIX_BYTES:] for parts in _ENCODED),
)
TOKENS = (
    *(bytes([0xA0 + len(kind)]) + kind.encode() for kind in BY_KIND),
    b"\xca\x7f\xc0\x00\x00", b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xc0", b"\xc2", b"\xc3", b"\xc4\x00", b"\xc7\x00\x05", b"\xd9\xff", b"\xdc\xff\xff",
    b"\xdf\xff\xff\xff\xff",
)  # fmt: skip


def one_input(data: bytes) -> None:
    mode, rest = data[0] % 4 if data else 0, data[1:]
    parts = [_sealed(rest) if mode & 2 else rest, *([b"payload"] * (mode & 1))]
    try:
        message = decode(parts)
    except ProtocolError as error:
        if error.reason not in REASONS:
            raise AssertionError(f"an undocumented reason: {error.reason}") from error
        return
    again = decode(encode(message))
    if again != message or type(again) is not type(message):
        raise AssertionError(f"{message} came back as {again}")


def _sealed(body: bytes) -> bytes:
    lead = struct.pack(">2sBBI", b"M4", PROTOCOL_VERSION, 0, len(body))
    return lead + struct.pack(">I", zlib.crc32(lead + body)) + body
