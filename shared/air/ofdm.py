"""Where a channel use lies in frequency: an OFDM grid of resource elements, one channel use each.

Use u of the downlink's clock lies on OFDM symbol u // K and on subcarrier (u S) mod K: a stride S near K over
the golden ratio spreads consecutive uses, a frame's pilots and its tokens alike, evenly over the band.
The cyclic prefix is longer than any delay and costs no channel use; so a resource element sees one gain.

The convention: a channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is average
received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: K subcarriers, B coherence blocks, L taps.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shared.air.profile import DelayProfile

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Grid:
    """K `subcarriers`, `spacing_hz` apart, around the carrier."""

    subcarriers: int
    spacing_hz: float

    @property
    def sample_s(self) -> float:
        """The sampling interval, 1 / bandwidth."""
        return 1.0 / (self.subcarriers * self.spacing_hz)

    def places(self, first_use: int, uses: int) -> NDArray[np.int64]:
        """The subcarrier (0 ... K - 1) of uses first_use ... first_use + uses - 1, [uses]."""
        first = first_use % self.subcarriers
        return (first + np.arange(uses)) * stride(self.subcarriers) % self.subcarriers


@lru_cache(maxsize=64)
def stride(subcarriers: int) -> int:
    """The number nearest to K over the golden ratio that has no divisor in common with K."""
    wanted = subcarriers * _GOLDEN
    fits = (s for s in range(1, max(2, subcarriers)) if math.gcd(s, subcarriers) == 1)
    return min(fits, key=lambda s: abs(s - wanted))


@lru_cache(maxsize=64)
def turns(profile: DelayProfile, grid: Grid) -> NDArray[np.complex128]:
    """exp(-j 2 pi f_k tau_l) of each subcarrier and tap, [K, L], with f_k in (-bandwidth/2, bandwidth/2]."""
    f_K = (np.arange(grid.subcarriers) - (grid.subcarriers - 1) // 2) * grid.spacing_hz
    result = np.exp(-2j * np.pi * np.outer(f_K, np.array(profile.delays_s)))
    result.flags.writeable = False
    return result


def response(
    profile: DelayProfile, grid: Grid, taps_L: NDArray[np.complex64], places: NDArray[np.int64]
) -> NDArray[np.complex64]:
    """Gain of each resource element, H_k = Σ_l g_l exp(-j 2 pi f_k tau_l), [uses], for taps g [L]."""
    gains: NDArray[np.complex64] = (turns(profile, grid) @ taps_L)[places].astype(np.complex64)
    return gains


def block_gains(
    profile: DelayProfile,
    grid: Grid,
    taps_BL: NDArray[np.complex64],
    lengths: NDArray[np.int64],
    first_use: int,
) -> NDArray[np.complex64]:
    """Gain of each use from `first_use` on, [uses]; row b of the taps holds for `lengths[b]` of them."""
    if profile.flat:
        return np.repeat(taps_BL[:, 0], lengths)
    places = np.split(grid.places(first_use, int(lengths.sum())), np.cumsum(lengths)[:-1])
    return np.concatenate([response(profile, grid, *block) for block in zip(taps_BL, places, strict=True)])


def covariance(
    profile: DelayProfile, grid: Grid, these: NDArray[np.int64], those: NDArray[np.int64]
) -> NDArray[np.complex128]:
    """E (H_i - E H_i)(H_k - E H_k)* for subcarriers i of `these` and k of `those`, [these, those].

    It depends on i - k alone, and is the scatter's power where they are the same.
    """
    return _by_distance(profile, grid)[these[:, None] - those[None, :] + grid.subcarriers - 1]


@lru_cache(maxsize=64)
def _by_distance(profile: DelayProfile, grid: Grid) -> NDArray[np.complex128]:
    """For distances -(K - 1) ... K - 1, [2 K - 1]."""
    distance_hz = np.arange(1 - grid.subcarriers, grid.subcarriers) * grid.spacing_hz
    waves = np.exp(-2j * np.pi * np.outer(distance_hz, np.array(profile.delays_s)))
    result: NDArray[np.complex128] = waves @ profile.variances().astype(np.complex128)
    result.flags.writeable = False
    return result
