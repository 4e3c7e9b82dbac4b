"""One realisation of the fading over consecutive channel uses: what it is, apart from how it came about.

E|h|^2 = 1 for unit average transmit power; so SNR = 1/N0 is the average received Es/N0 per channel use.

Shapes: B coherence blocks, L taps.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shared.air.ofdm import Grid, block_gains
from shared.air.profile import NO_FADING, DelayProfile

_ONE_TAP = Grid(1, 1.0)


@dataclass(frozen=True, slots=True)
class Realisation:
    """Taps complex64 [B, L], each row of which holds for `lengths` int64 [B] channel uses in turn.

    The uses begin at `first_use` of the downlink's clock, which says where in the grid they lie.
    """

    taps_BL: NDArray[np.complex64]
    lengths: NDArray[np.int64]
    profile: DelayProfile = NO_FADING
    grid: Grid = _ONE_TAP
    first_use: int = 0

    @property
    def uses(self) -> int:
        return int(self.lengths.sum())

    @property
    def single(self) -> complex | None:
        """The gain when one holds throughout, else None."""
        return complex(self.taps_BL[0, 0]) if self.taps_BL.size == 1 else None

    def per_use(self) -> NDArray[np.complex64]:
        """Gain of each channel use, [uses]."""
        return block_gains(self.profile, self.grid, self.taps_BL, self.lengths, self.first_use)


def constant(gain: complex, uses: int) -> Realisation:
    """One gain for all `uses`."""
    return Realisation(np.array([[gain]], dtype=np.complex64), np.array([uses], dtype=np.int64))


def spliced(first: Realisation, then: Realisation, uses: int) -> Realisation:
    """`first` for the first channel uses, so many, and `then` for the rest; both are over the same uses."""
    heads = np.clip(uses - _starts(first), 0, first.lengths)
    tails = then.lengths - np.clip(uses - _starts(then), 0, then.lengths)
    taps_BL = np.concatenate([first.taps_BL[heads > 0], then.taps_BL[tails > 0]])
    return replace(then, taps_BL=taps_BL, lengths=np.concatenate([heads[heads > 0], tails[tails > 0]]))


def _starts(realisation: Realisation) -> NDArray[np.int64]:
    """Channel uses before each block, [B]."""
    return np.cumsum(realisation.lengths) - realisation.lengths
