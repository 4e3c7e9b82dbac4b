"""Messages that come several times."""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import DuplicateConfig


class Duplicate(Fault[DuplicateConfig]):
    """Copies follow at once, alike to the last bit: the receiver's noise is on all of them."""

    def strike(self, passing: Passing) -> Fate:
        chosen = self.uniform(passing) < self._config.probability
        return Fate(copies=self._config.copies) if chosen else UNHARMED
