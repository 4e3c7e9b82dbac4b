"""The taps of a channel, on average: what a receiver may know of its gains before it hears anything.

The convention: a channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is average
received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: L taps.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DelayProfile:
    """Tap l has delay `delays_s[l]` and mean power `powers[l]`; the powers add up to E|h|² = 1.

    A tap is CN(0, power), but for a line of sight in the first: a mean of power `line_of_sight`, phase 0.
    With `rays` its scatter is that many rays of equal power and random phases instead.
    """

    delays_s: tuple[float, ...]
    powers: tuple[float, ...]
    line_of_sight: float = 0.0
    rays: int | None = None

    @property
    def fades(self) -> bool:
        return self.line_of_sight < 1.0

    @property
    def flat(self) -> bool:
        """All channel uses of a coherence block have one gain."""
        return len(self.powers) == 1

    def means(self) -> NDArray[np.float64]:
        """[L]."""
        means = np.zeros(len(self.powers))
        means[0] = math.sqrt(self.line_of_sight)
        return means

    def variances(self) -> NDArray[np.float64]:
        """Of the taps about their means, [L]."""
        variances = np.array(self.powers)
        variances[0] -= self.line_of_sight
        return variances


NO_FADING = DelayProfile((0.0,), (1.0,), line_of_sight=1.0)
RAYLEIGH = DelayProfile((0.0,), (1.0,))


def rician(k_factor_db: float) -> DelayProfile:
    """One tap: line of sight of power K / (K + 1), scatter of power 1 / (K + 1).

    K = 10^(k_factor_db / 10) is the ratio of the two (Tse and Viswanath 2005, equation 2.55).
    """
    k = 10.0 ** (k_factor_db / 10.0)
    return DelayProfile((0.0,), (1.0,), line_of_sight=k / (k + 1.0))


def from_decibels(
    delays_s: tuple[float, ...], powers_db: tuple[float, ...], line_of_sight_db: float | None = None
) -> DelayProfile:
    """Scaled to E|h|² = 1. `line_of_sight_db`: power of a mean on top of the first tap's scatter."""
    linear = [10.0 ** (p / 10.0) for p in powers_db]
    sight = 0.0 if line_of_sight_db is None else 10.0 ** (line_of_sight_db / 10.0)
    linear[0] += sight
    total = math.fsum(linear)
    return DelayProfile(delays_s, tuple(p / total for p in linear), sight / total)
