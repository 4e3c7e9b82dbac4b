"""A receiver's front end that saturates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channel_emulator.faults.fault import AirFault, Fate, Passing
from channel_emulator.physics.air_change import AirChange
from shared.fault_config import ClippingConfig


class Clipping(AirFault[ClippingConfig]):
    """What is received, noise and interference included, is clipped before it is sampled (an ADC, not a PA).

    An automatic gain control sets the level by the RMS of each frame. It strikes every frame that meets it.
    """

    def strike(self, passing: Passing) -> Fate:
        return Fate(air=(Clipped(10.0 ** (self._config.clip_db / 20.0)),))


@dataclass(frozen=True, slots=True)
class Clipped(AirChange):
    """The soft envelope limiter: amplitudes end at `ratio` times the RMS, phases stay.

    y becomes y min(1, A / |y|) with A = ratio * sqrt(mean |y|²) (Ochiai and Imai 2002,
    Performance analysis of deliberately clipped OFDM signals).
    """

    ratio: float

    def front_end(self, received: NDArray[np.complex64]) -> None:
        amplitudes = np.abs(received)
        level = self.ratio * np.sqrt(np.mean(np.square(amplitudes, dtype=np.float64)))
        over = amplitudes > level
        received[over] *= (level / amplitudes[over]).astype(np.float32)
