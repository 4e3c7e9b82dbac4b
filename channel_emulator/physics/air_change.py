"""What may be wrong with the air or a receiver for one reception: steps between a frame sent and received.

Unit average transmit power; E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB;
N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.realisation import Realisation

Another = Callable[[int], Realisation]
"""By a seed, an independent realisation of the same channel for the same receiver and channel uses."""


class AirChange:
    """Each step leaves things as they are unless a change says otherwise. All are pure but for `received`.

    Of several changes all `aged` come first, then all `faded`, and so on down: they can be combined.
    """

    def aged(self, known: Realisation, another: Another) -> Realisation:
        """What pilots meet, or the genie names, where that is not what data meets."""
        return known

    def faded(self, met: Realisation) -> Realisation:
        """Gains, of pilots and data alike."""
        return met

    def noise(self, n0: float) -> float:
        """Noise power per channel use."""
        return n0

    def interfere(self, received: NDArray[np.complex64], first_use: int) -> None:
        """Add to the samples of channel uses first_use, first_use + 1, ... what comes from elsewhere."""

    def front_end(self, received: NDArray[np.complex64]) -> None:
        """Change the samples, interference and noise included, as the receiver's hardware does."""
