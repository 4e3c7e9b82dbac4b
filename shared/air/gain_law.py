"""How the channel gain of a model is distributed: what a receiver may know of it before it hears anything.

The convention: a channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is average
received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GainLaw:
    """h = mean + d with d ~ CN(0, variance); mean² + variance = E|h|² = 1."""

    mean: float
    variance: float

    @property
    def fades(self) -> bool:
        return self.variance > 0.0


NO_FADING = GainLaw(1.0, 0.0)
RAYLEIGH = GainLaw(0.0, 1.0)


def rician(k_factor_db: float) -> GainLaw:
    """Line of sight of power K / (K + 1) with phase 0, scatter of power 1 / (K + 1).

    K = 10^(k_factor_db / 10) is the ratio of the two (Tse and Viswanath 2005, equation 2.55).
    """
    k = 10.0 ** (k_factor_db / 10.0)
    return GainLaw(math.sqrt(k / (k + 1.0)), 1.0 / (k + 1.0))


def gain_law(channel_model: str, k_factor_db: float = 0.0) -> GainLaw:
    """The law of a model's gain, the same in every coherence block. `k_factor_db` is for 'rician'."""
    if channel_model == "rayleigh":
        return RAYLEIGH
    return rician(k_factor_db) if channel_model == "rician" else NO_FADING
