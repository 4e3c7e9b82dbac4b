"""A channel estimate that is old when it is used."""

import math
from dataclasses import dataclass, replace

import numpy as np

from channel_emulator.faults.fault import AirFault, Fate, Passing
from channel_emulator.physics.air_change import AirChange, Another
from channel_emulator.physics.realisation import Realisation
from shared.fault_config import StaleCsiConfig


class StaleCsi(AirFault[StaleCsiConfig]):
    """Pilots meet, and a genie names, the channel as it was; data meets the channel as it is.

    The two have the same mean and power, and `correlation` is ρ between their scatter (first-order
    Gauss-Markov). Where scatter comes alike from everywhere, ρ = J0(2π f_D τ) after τ seconds at a maximum
    Doppler frequency f_D (Clarke 1968). A line of sight does not age.
    """

    def strike(self, passing: Passing) -> Fate:
        return Fate(air=(Aged(self._config.correlation, self._seed),))


@dataclass(frozen=True, slots=True)
class Aged(AirChange):
    """h_old = m + ρ (h - m) + sqrt(1 - ρ²) w, with m the mean of h and w another draw of its scatter.

    E|h_old|² = 1 and E|h_old - h|² = 2 (1 - ρ) times the scatter's power. Like h, w belongs to the air: it is
    one for all frames of a receiver within a coherence block.
    """

    correlation: float
    seed: int

    def aged(self, known: Realisation, another: Another) -> Realisation:
        mean_L = known.profile.means()
        now_BL, fresh_BL = (found.taps_BL - mean_L for found in (known, another(self.seed)))
        old_BL = self.correlation * now_BL + math.sqrt(1.0 - self.correlation**2) * fresh_BL
        return replace(known, taps_BL=(mean_L + old_BL).astype(np.complex64))
