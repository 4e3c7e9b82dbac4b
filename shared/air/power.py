"""Transmit power: unit average power per channel use, so the energy of n channel uses is n.

One channel use is one complex symbol; Es = 1 on average, so SNR = Es/N0 = 1/N0.
"""

import math

import numpy as np
from numpy.typing import NDArray

from shared.wire.errors import LocalProtocolError


def energy(x: NDArray[np.complex64]) -> float:
    """Σ|x|² of complex samples of any shape, in units of one channel use's energy.

    Squares and sums in double precision: a ledger that adds millions of frames must not drift.
    """
    reals = np.ascontiguousarray(x, dtype=np.complex64).view(np.float32).astype(np.float64)
    return float(np.vdot(reals, reals))


def scale_to_unit_power(total_energy: float, uses: int) -> float:
    """The factor that gives `uses` channel uses of energy `total_energy` the energy `uses`.

    For normalising several arrays by one common factor (power per group, over all of its frames).
    Raises `LocalProtocolError` when there is no energy to scale, or it is not finite.
    """
    if not (math.isfinite(total_energy) and total_energy > 0.0):
        raise LocalProtocolError(f"power: expected finite energy > 0 to normalise, received {total_energy}")
    return math.sqrt(uses / total_energy)


AMPLITUDE_STEP_DB = 0.5
AMPLITUDE_CODES = 128
_UNITY = AMPLITUDE_CODES // 2


def amplitude_code(amplitude: float) -> int:
    """The nearest of `AMPLITUDE_CODES` steps of `AMPLITUDE_STEP_DB`, 0 dB in their middle.

    Raises `LocalProtocolError` for what lies beyond -32 ... 31.5 dB.
    """
    code = _UNITY + round(20.0 * math.log10(amplitude) / AMPLITUDE_STEP_DB)
    if not 0 <= code < AMPLITUDE_CODES:
        raise LocalProtocolError(f"power: expected an amplitude of -32 to 31.5 dB, received {amplitude:g}")
    return code


def amplitude_of(code: int) -> float:
    """Inverse of `amplitude_code`, to half a step."""
    return 10.0 ** ((code - _UNITY) * AMPLITUDE_STEP_DB / 20.0)


def normalise(x: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """`x` [n] scaled so that Σ|x|² = n: unit average transmit power per channel use.

    Raises `LocalProtocolError` for a vector of zeros, an empty one, or one with NaN or infinity.
    """
    return x.astype(np.complex64) * np.float32(scale_to_unit_power(energy(x), x.size))
