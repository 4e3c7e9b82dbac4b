"""One realisation of the fading over consecutive channel uses: what it is, apart from how it came about.

E|h|^2 = 1 for unit average transmit power; so SNR = 1/N0 is the average received Es/N0 per channel use.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Realisation:
    """Complex gain h of each block: `gains` complex64 [B] hold for `lengths` int64 [B] channel uses in turn.

    Flat fading: one tap, constant within a block.
    """

    gains: NDArray[np.complex64]
    lengths: NDArray[np.int64]

    @property
    def uses(self) -> int:
        return int(self.lengths.sum())

    @property
    def single(self) -> complex | None:
        """The gain when one holds throughout, else None."""
        return complex(self.gains[0]) if self.gains.size == 1 else None

    def per_use(self) -> NDArray[np.complex64]:
        """Gain of each channel use, [uses]."""
        return np.repeat(self.gains, self.lengths)


def constant(gain: complex, uses: int) -> Realisation:
    """One gain for all `uses`."""
    return Realisation(np.array([gain], dtype=np.complex64), np.array([uses], dtype=np.int64))
