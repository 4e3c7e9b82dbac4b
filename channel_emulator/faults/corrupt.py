"""Wrong bits in a payload: samples of analog frames, bits of index maps."""

from dataclasses import replace
from functools import partial

import numpy as np

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import CorruptConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame


class Corrupt(Fault[CorruptConfig]):
    """Independent bit errors. At least one bit of a chosen message is wrong."""

    def strike(self, passing: Passing) -> Fate:
        if not isinstance(passing.message, SymbolFrame | SideInfo):
            return UNHARMED
        if self.uniform(passing, "chosen") >= self._config.probability:
            return UNHARMED
        return Fate(damage=partial(with_errors, rate=self._config.bit_error_rate, seed=self.words(passing)))


def with_errors(message: Message, rate: float, seed: int) -> Message:
    """The message with bits of its payload inverted."""
    assert isinstance(message, SymbolFrame | SideInfo)
    payload = np.frombuffer(bytes(message.payload), np.uint8).copy()
    if not payload.size:
        return message
    rng = np.random.Generator(np.random.SFC64(seed))
    n_bits = 8 * payload.size
    places = rng.choice(n_bits, max(1, int(rng.binomial(n_bits, rate))), replace=False)
    np.bitwise_xor.at(payload, places // 8, np.left_shift(1, places % 8).astype(np.uint8))
    return replace(message, payload=payload.tobytes())
