"""Single messages that are overtaken."""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import ReorderConfig


class Reorder(Fault[ReorderConfig]):
    """Some messages are held back while the others pass."""

    def strike(self, passing: Passing) -> Fate:
        held = self.uniform(passing) < self._config.probability
        return Fate(delay_s=self._config.hold_ms / 1e3) if held else UNHARMED
