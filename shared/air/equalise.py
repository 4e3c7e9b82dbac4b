"""One-tap equaliser for a flat channel y = h x + n.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

MIN_GAIN_POWER = 1e-12
"""|h|² is taken as at least this much (-120 dB), so that a vanished channel gives finite numbers."""


@overload
def equalise(
    y: NDArray[np.complex64], gain: complex, n0: float, gain_error_variance: float = 0.0
) -> tuple[NDArray[np.complex64], float]: ...
@overload
def equalise(
    y: NDArray[np.complex64],
    gain: NDArray[np.complex64],
    n0: float,
    gain_error_variance: float | NDArray[np.float32] = 0.0,
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]: ...
def equalise(
    y: NDArray[np.complex64],
    gain: complex | NDArray[np.complex64],
    n0: float,
    gain_error_variance: float | NDArray[np.float32] = 0.0,
) -> tuple[NDArray[np.complex64], float | NDArray[np.float32]]:
    """x̂ = y / h and the noise variance left on it, per channel use: (N0 + σ²_h) / |h|².

    `y` is [n]; `gain` is one complex number for all, or one per sample [n]; the noise variance has the
    gain's shape and half of it lies in each real dimension. `n0` is N0 = 10^(-SNR/10). With an estimated
    gain, `gain_error_variance` σ²_h (`pilots.ls_error_variance`) adds what the estimate's error does to
    symbols of unit power, to first order. For one tap, zero forcing loses nothing against MMSE once the
    receiver is told the variance: they differ by a known real factor. Both results are always finite.
    """
    noise = n0 + gain_error_variance
    if isinstance(gain, np.ndarray):
        power = np.maximum(gain.real**2 + gain.imag**2, np.float32(MIN_GAIN_POWER))
        return (y * (np.conj(gain) / power)).astype(np.complex64), (noise / power).astype(np.float32)
    floor = max(abs(gain) ** 2, MIN_GAIN_POWER)
    return y * np.complex64(gain.conjugate() / floor), noise / floor
