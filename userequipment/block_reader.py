"""Blocks of bytes from the copies of their frames, each decoded once: it takes tens of milliseconds."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from shared.air import byte_blocks
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air
from userequipment.digital_decode import mcs_of, readable

REMEMBERED: Final = 512

_Key = tuple[int, int, str, tuple[int, ...]]


class BlockReader:
    """Remembers the last `REMEMBERED` blocks that were right: first judged on arrival, then put together.

    Used by the network loop and by the compute thread: the worst of a race is a block decoded twice.
    """

    def __init__(self) -> None:
        self._right: OrderedDict[_Key, bytes] = OrderedDict()

    def read(self, copies: Sequence[SymbolFrame], air: Air) -> bytes | None:
        """None where all that came does not make the block's CRC hold."""
        first = copies[0]
        key = first.group_id, first.frame_id, first.stream, tuple(copy.attempt for copy in copies)
        known = self._right.get(key)
        if known is not None:
            return known
        try:
            mcs = mcs_of(first, 8 * first.n_tokens)
            block = byte_blocks.block_from(readable(copies, air), first.n_tokens, mcs)
        except ProtocolError:
            return None
        if block is not None:
            self._right[key] = block
            while len(self._right) > REMEMBERED:
                self._right.pop(next(iter(self._right)), None)
        return block
