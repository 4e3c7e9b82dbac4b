"""Bernoulli loss: each message is lost with `probability`, independently of all others."""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import LossConfig

_LOST = Fate(lost="loss")


class Loss(Fault[LossConfig]):
    """Independent loss per message, receiver and repetition; 0 never loses, 1 always does."""

    def strike(self, passing: Passing) -> Fate:
        return _LOST if self.uniform(passing) < self._config.probability else UNHARMED
