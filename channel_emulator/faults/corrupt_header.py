"""Wrong bits in a message's header: it travels, and no receiver can read it."""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import CorruptHeaderConfig
from shared.wire.damage import HeaderErrors


class CorruptHeader(Fault[CorruptHeaderConfig]):
    """The receiver finds the wrong checksum and counts a drop; what was in it is as lost.

    The ledger has the message itself as dropped here ('corrupt_header'), and the bytes that travel as
    class 'unknown': offered here, dropped there for the reason that was found.
    """

    def strike(self, passing: Passing) -> Fate:
        if self.uniform(passing, "chosen") >= self._config.probability:
            return UNHARMED
        return Fate(header=HeaderErrors(self._config.bits, self.words(passing)))
