"""A signal that fades: |h|² falls, the noise stays."""

from dataclasses import dataclass, replace

import numpy as np

from channel_emulator.faults.fault import AirFault, Fate, Passing
from channel_emulator.physics.air_change import AirChange
from channel_emulator.physics.realisation import Realisation
from shared.fault_config import DeepFadeConfig


class DeepFade(AirFault[DeepFadeConfig]):
    """Pilots fade with the data, so a receiver that estimates its channel knows of it, as does a genie.

    That sets it apart from `snr_drop`, of which nobody is told: here tokens are decoded as the faint ones
    they are, and asked for again below a least SNR. On AWGN receivers take the gain to be 1 all the same.
    """

    def strike(self, passing: Passing) -> Fate:
        return Fate(air=(Faded(10.0 ** (-self._config.depth_db / 20.0)),))


@dataclass(frozen=True, slots=True)
class Faded(AirChange):
    """Every gain times `amplitude`."""

    amplitude: float

    def faded(self, met: Realisation) -> Realisation:
        return replace(met, taps_BL=met.taps_BL * np.float32(self.amplitude))
