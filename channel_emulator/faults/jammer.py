"""A jammer: bursts of Gaussian symbols on top of what a user receives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channel_emulator.faults.fault import UNHARMED, AirFault, Fate, Passing
from channel_emulator.physics.air_change import AirChange
from channel_emulator.physics.interference import add_interference, is_on
from shared.channel_config import InterferenceConfig
from shared.fault_config import JammerConfig
from shared.wire.messages import SideInfo, SymbolFrame


class Jammer(AirFault[JammerConfig]):
    """`channel.interference` with a window: one transmitter, which all who are in its reach hear alike.

    Its signal is a function of seed, fault and channel use. It strikes what its bursts meet. Receivers are
    told nothing, and a signal that fades does not take the jammer with it.
    """

    def __init__(self, config: JammerConfig, seed: int) -> None:
        super().__init__(config, seed)
        source = InterferenceConfig(
            sir_db=-config.jam_to_signal_db, duty=config.share, burst_uses=config.burst_uses
        )
        self._jammed = Jammed(source, seed)

    def strike(self, passing: Passing) -> Fate:
        message = passing.message
        assert isinstance(message, SymbolFrame | SideInfo)
        heard = self._jammed.meets(message.first_use, message.uses)
        return Fate(air=(self._jammed,)) if heard else UNHARMED


@dataclass(frozen=True, slots=True)
class Jammed(AirChange):
    """What `source` sends, as `seed` draws it, on top."""

    source: InterferenceConfig
    seed: int

    def meets(self, first_use: int, uses: int) -> bool:
        """Whether a burst is on during any of these channel uses."""
        return is_on(self.source, self.seed, first_use, uses)

    def interfere(self, received: NDArray[np.complex64], first_use: int) -> None:
        add_interference(received, (self.source,), self.seed, 0, first_use)
