"""Channel estimates where subcarriers have different gains: y_k = H_k p_k + n_k on the pilots' subcarriers.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: U uses of a frame, P of them pilots (the first), D different subcarriers among the pilots'.
"""

import numpy as np
from numpy.typing import NDArray

from shared.air.ofdm import Grid, covariance, turns
from shared.air.profile import DelayProfile

Estimate = tuple[NDArray[np.complex64], NDArray[np.float32]]
"""Gains [U] and the variances of their errors [U]."""


def estimate_ls(heard_P: NDArray[np.complex64], places_U: NDArray[np.int64], n0: float) -> Estimate:
    """Least squares on the pilots' subcarriers, straight lines between them, the nearest one beyond the ends.

    `heard` are received pilots over sent ones, `places` the subcarriers of all uses. The error variance is
    that of the noise, N0 w² + N0 (1 - w)² between two pilots; what the line misses of the channel is not
    known to least squares.
    """
    subcarriers_D, back_P = np.unique(places_U[: heard_P.size], return_inverse=True)
    counts_D = np.bincount(back_P)
    mean_D = (np.bincount(back_P, heard_P.real) + 1j * np.bincount(back_P, heard_P.imag)) / counts_D
    right_U = np.clip(np.searchsorted(subcarriers_D, places_U), 1, max(1, len(subcarriers_D) - 1))
    left_U = right_U - 1
    right_U = np.minimum(right_U, len(subcarriers_D) - 1)
    width_U = np.maximum(subcarriers_D[right_U] - subcarriers_D[left_U], 1)
    share_U = np.clip((places_U - subcarriers_D[left_U]) / width_U, 0.0, 1.0)
    gains_U = (1.0 - share_U) * mean_D[left_U] + share_U * mean_D[right_U]
    noise_D = n0 / counts_D
    errors_U = (1.0 - share_U) ** 2 * noise_D[left_U] + share_U**2 * noise_D[right_U]
    return gains_U.astype(np.complex64), errors_U.astype(np.float32)


def estimate_lmmse(
    heard_P: NDArray[np.complex64],
    places_U: NDArray[np.int64],
    profile: DelayProfile,
    grid: Grid,
    n0: float,
) -> Estimate:
    """The LMMSE estimate of every use's gain from the pilots', the delay profile being known.

    H = m + C_UP (C_PP + N0 I)^-1 (y/p - m_P), error variance diag(C_UU - C_UP (C_PP + N0 I)^-1 C_PU): Kay
    1993, theorem 12.1; Edfors et al. 1998. Gains are Gaussian: no estimate has a smaller mean square error.
    """
    pilots_P = places_U[: heard_P.size]
    mean_K = turns(profile, grid) @ profile.means()
    across_UP = covariance(profile, grid, places_U, pilots_P)
    # A trace of noise keeps the system regular where N0 is nothing and subcarriers are alike.
    noisy_PP = covariance(profile, grid, pilots_P, pilots_P) + max(n0, 1e-9) * np.eye(heard_P.size)
    weights_UP = np.linalg.solve(noisy_PP.T, across_UP.T).T
    gains_U = mean_K[places_U] + weights_UP @ (heard_P - mean_K[pilots_P])
    errors_U = profile.variances().sum() - np.einsum("up,up->u", weights_UP, across_UP.conj()).real
    return gains_U.astype(np.complex64), np.maximum(errors_U, 0.0).astype(np.float32)
