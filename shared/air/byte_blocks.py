"""Bytes on the air: cut into blocks of one length, each a frame: CRC-24A, 5G LDPC and QAM.

A block that fails is asked for by its frame alone, and sent with another redundancy version (`transport`).
How long blocks are follows from the number of bytes, so a receiver that knows it needs to be told nothing
else; it is one of few lengths, because a code of a new length takes a third of a second to set up. Zeros fill
the last block.

In the header of its frame a byte is a token of one symbol, with 4 bits for each of its two real values. One
channel use is one complex symbol; QAM has unit power on average; SNR is average received Es/N0.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.air import transport
from shared.air.carry import carried
from shared.air.models import pilot_uses
from shared.air.transport import CRC_BITS, MAX_BLOCK_BITS, Mcs
from shared.config import ChannelConfig
from shared.wire.messages import SymbolFrame

MOST: Final = (MAX_BLOCK_BITS - CRC_BITS) // 8
LENGTHS: Final = (
    *range(1, 16),
    *range(16, 32, 2),
    *range(32, 64, 4),
    *range(64, 128, 8),
    *range(128, 256, 16),
    *range(256, MOST, 16),
    MOST,
)
"""Bytes that a block may have: at most an eighth more than is needed, from 16 bytes on."""
BITS_OF_REAL: Final = 4
USES_OF_BYTE: Final = 1


def blocks_of(n_bytes: int) -> tuple[int, int]:
    """How many blocks, and how many bytes each. Raises ValueError for no bytes."""
    if n_bytes < 1:
        raise ValueError(f"n_bytes: expected >= 1, received {n_bytes}")
    blocks = -(-n_bytes // MOST)
    return blocks, LENGTHS[bisect_left(LENGTHS, -(-n_bytes // blocks))]


def uses_of(n_bytes: int, channel: ChannelConfig, mcs: Mcs) -> int:
    """Channel uses of one attempt at all blocks, pilots included."""
    blocks, length = blocks_of(n_bytes)
    return blocks * (pilot_uses(channel) + transport.uses_of(8 * length, mcs))


def frames_of(
    data: bytes,
    channel: ChannelConfig,
    mcs: Mcs,
    attempts: int,
    *,
    stream: str,
    users: tuple[int, ...],
    group_id: int,
    first_frame: int,
    first_byte: int,
) -> list[list[SymbolFrame]]:
    """For every block its frame at each attempt; frames are numbered from `first_frame` on.

    `first_byte` is the place of the first block in its stream, filled up as the blocks are.
    """
    blocks, length = blocks_of(len(data))
    bits = np.unpackbits(np.frombuffer(data.ljust(blocks * length, b"\0"), np.uint8))
    symbols_ABU = [transport.encode(bits, mcs, attempt).reshape(blocks, -1) for attempt in range(attempts)]
    return [
        [
            SymbolFrame(
                stream=stream,
                users=users,
                group_id=group_id,
                frame_id=first_frame + block,
                attempt=0,
                first_token=first_byte + block * length,
                n_tokens=length,
                uses_per_token=USES_OF_BYTE,
                first_use=0,
                quantiser_bits=BITS_OF_REAL,
                **carried(channel, symbols_BU[block]),
            )
            for symbols_BU in symbols_ABU
        ]
        for block in range(blocks)
    ]


def block_from(copies: Sequence[transport.Copy], length: int, mcs: Mcs) -> bytes | None:
    """A block of `length` bytes from copies of its frame's symbols; None where its CRC does not hold."""
    bits, good = transport.decode(copies, 8 * length, mcs)
    return np.packbits(bits).tobytes() if bool(np.all(good)) else None
