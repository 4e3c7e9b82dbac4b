"""Short texts as few bytes: as they are (UTF-8), deflated (RFC 1951), or as token ids, whichever is smallest.

The first five bits say which (2), and how many bits at the end are padding (3).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.bits import BitReader, BitWriter

_PLAIN, _DEFLATED, _TOKENS = range(3)
_MODE_BITS, _PADDING_BITS = 2, 3
_HEAD_BITS = _MODE_BITS + _PADDING_BITS


class TextCodeError(ValueError):
    """The bytes are no text; one line."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What came out: a text, or the token ids of one."""

    text: str | None
    token_ids: tuple[int, ...] = ()


def id_bits(vocabulary: int) -> int:
    """Bits of a token id."""
    return max(1, (vocabulary - 1).bit_length())


def encode(text: str, token_ids: Sequence[int] | None, vocabulary: int) -> bytes:
    """`token_ids` are the text's own; None where a text made of them would not be the same to its reader."""
    plain = text.encode()
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    found = [(_PLAIN, plain), (_DEFLATED, deflater.compress(plain) + deflater.flush())]
    mode, body = min(found, key=lambda entry: len(entry[1]))
    if token_ids is not None and len(token_ids) * id_bits(vocabulary) < 8 * len(body):
        return _written(_TOKENS, token_ids, id_bits(vocabulary))
    return _written(mode, body, 8)


def decode(data: bytes, vocabulary: int, max_chars: int) -> Coded:
    """Inverse of `encode`. Raises `TextCodeError`."""
    bits = BitReader(data)
    if not data:
        raise TextCodeError("no bytes, expected at least one")
    mode, padding = bits.take(_MODE_BITS), bits.take(_PADDING_BITS)
    width = id_bits(vocabulary) if mode == _TOKENS else 8
    count, rest = divmod(8 * len(data) - _HEAD_BITS - padding, width)
    if rest or count < 0 or mode > _TOKENS:
        raise TextCodeError(f"{8 * len(data)} bits with {padding} of padding are no text of mode {mode}")
    values = [bits.take(width) for _ in range(count)]
    if mode == _TOKENS:
        if any(value >= vocabulary for value in values):
            raise TextCodeError(f"a token id beyond {vocabulary}")
        return Coded(None, tuple(values))
    body = bytes(values)
    if mode == _DEFLATED:
        body = _inflated(body, 4 * max_chars)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise TextCodeError("not UTF-8") from None
    if len(text) > max_chars:
        raise TextCodeError(f"{len(text)} characters, at most {max_chars}")
    return Coded(text)


def _inflated(body: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    try:
        out = inflater.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise TextCodeError(f"not deflated ({error})") from None
    if len(out) > max_bytes or not inflater.eof:
        raise TextCodeError("deflated text is cut, or too long")
    return out


def _written(mode: int, values: Sequence[int] | bytes, width: int) -> bytes:
    out = BitWriter()
    out.put(mode, _MODE_BITS)
    out.put(-(_HEAD_BITS + width * len(values)) % 8, _PADDING_BITS)
    for value in values:
        out.put(value, width)
    return out.to_bytes()
