"""The side information of schemes that send parts: what a request consists of.

A request has up to two parts: its `content`, which others may need too (a picture, a scene's text), and
its own `text` (a question, an answer). Layout on the air, most significant bit first:

    task 2 | question at UE 1 | each part: 0, or 1 and 1 'private' or 0 'public' | its length (Elias gamma)
    CRC-16/CCITT over all of the above, zeros to the end of its block

A length is in bytes, where bytes are sent, or in channel uses, where analog symbols are. How a part is
cut into frames follows from it (`air.byte_blocks`), or is what their headers say (`air.symbol_frames`).
"""

import binascii
from dataclasses import dataclass

from shared.bits import BitError, BitReader, BitWriter
from shared.wire.messages import TASKS

MAX_LENGTH = 2**20
_TASK_BITS, _CRC_BITS = 2, 16


class PartsMapError(ValueError):
    """The bits are no such map: the receiver treats it as lost."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which stream it is in, and how long it is: bytes or channel uses."""

    private: bool
    length: int


@dataclass(frozen=True, slots=True)
class PartsMap:
    """The side information of one request. A part that it does not have is None."""

    task: str
    question_at_ue: bool = False
    content: Part | None = None
    text: Part | None = None


def encode(parts: PartsMap) -> tuple[bytes, int]:
    """Payload and its length in bits, CRC included. Raises `PartsMapError` for a part that is too long."""
    out = BitWriter()
    out.put(TASKS.index(parts.task), _TASK_BITS)
    out.put(int(parts.question_at_ue), 1)
    for part in (parts.content, parts.text):
        out.put(int(part is not None), 1)
        if part is not None:
            if not 1 <= part.length <= MAX_LENGTH:
                raise PartsMapError(f"a part of {part.length}, expected 1 to {MAX_LENGTH}")
            out.put(int(part.private), 1)
            out.gamma(part.length)
    n_bits = out.n_bits + _CRC_BITS
    out.put(binascii.crc_hqx(out.to_bytes(), 0xFFFF), _CRC_BITS)
    return out.to_bytes(), n_bits


def decode(payload: bytes | memoryview) -> PartsMap:
    """Inverse of `encode`. Raises `PartsMapError`."""
    bits = BitReader(bytes(payload))
    try:
        task, at_ue = bits.take(_TASK_BITS), bool(bits.take(1))
        content, text = _take_part(bits), _take_part(bits)
        body_bits = bits.position
        crc = bits.take(_CRC_BITS)
    except BitError as error:
        raise PartsMapError(f"the map: {error}") from None
    if crc != binascii.crc_hqx(bits.prefix(body_bits), 0xFFFF) or bits.rest_is_not_padding():
        raise PartsMapError("CRC mismatch")
    if task >= len(TASKS):
        raise PartsMapError(f"task code {task} is not known")
    return PartsMap(TASKS[task], at_ue, content, text)


def _take_part(bits: BitReader) -> Part | None:
    if not bits.take(1):
        return None
    part = Part(bool(bits.take(1)), bits.gamma())
    if part.length > MAX_LENGTH:
        raise PartsMapError(f"a part of {part.length}, at most {MAX_LENGTH}")
    return part
