"""Applying a realisation: y = h x + n, with n complex Gaussian. The emulator's hot path.

Unit average transmit power; E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB;
N0 = 10^(-SNR/10), and n has N0/2 in each real dimension.
"""

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.normals import fill_complex_normals
from channel_emulator.physics.realisation import Realisation
from shared.rng import generator

CHUNK_USES = 16_384
"""Uses worked on at a time, so that they stay in a core's cache from drawing the noise to adding it."""


def noise_generator(seed: int, user: int, group_id: int, frame_id: int, attempt: int) -> np.random.Generator:
    """The stream of a receiver's noise on one transmission of a frame, and of no other."""
    return generator(seed, "noise", user, group_id, frame_id, attempt)


def transmit(
    x: NDArray[np.complex64],
    realisation: Realisation,
    n0: float,
    source: np.random.Generator,
    room: NDArray[np.complex64] | None = None,
) -> NDArray[np.complex64]:
    """y = h x + n for samples `x` [uses]; n has variance `n0` per use, `n0`/2 per real dimension.

    The noise is drawn straight into the result, which lies in `room` if there is enough of it: memory that
    the kernel has to hand out and clear first costs more than the sum. The same source gives the same noise
    for any `n0` (scaled) and any `x`. Raises `ValueError` when the realisation is not for as many uses.
    """
    if x.shape != (realisation.uses,):
        raise ValueError(f"transmit: expected {realisation.uses} samples, received shape {x.shape}")
    gains = realisation.per_use() if realisation.single is None else np.complex64(realisation.single)
    if n0 == 0.0:
        return x * gains
    unit = realisation.single == 1.0  # without fading there is nothing to multiply
    y = np.empty(x.shape, np.complex64) if room is None or room.size < x.size else room[: x.size]
    for start in range(0, x.size, CHUNK_USES):
        part = slice(start, min(start + CHUNK_USES, x.size))
        fill_complex_normals(source, y[part], n0)
        y[part] += x[part] if unit else x[part] * (gains[part] if isinstance(gains, np.ndarray) else gains)
    return y
