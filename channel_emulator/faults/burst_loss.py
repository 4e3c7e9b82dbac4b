"""Losses in bursts: the two-state Markov model of Gilbert (1960) and Elliott (1963), one state a link."""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import BurstLossConfig

_LOST = Fate(lost="burst_loss")


class BurstLoss(Fault[BurstLossConfig]):
    """Every link begins good; bad for turn_bad / (turn_bad + turn_good) of its messages in the long run."""

    def __init__(self, config: BurstLossConfig, seed: int) -> None:
        super().__init__(config, seed)
        self._bad: set[tuple[int, str]] = set()

    def strike(self, passing: Passing) -> Fate:
        config = self._config
        bad = passing.link in self._bad
        if self.uniform(passing, "turn") < (config.turn_good if bad else config.turn_bad):
            bad = not bad
            (self._bad.add if bad else self._bad.discard)(passing.link)
        lost = self.uniform(passing) < (config.loss_bad if bad else config.loss_good)
        return _LOST if lost else UNHARMED
