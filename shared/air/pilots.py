"""Pilots and what is estimated from them: least squares, and linear minimum mean square error.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shared.air.profile import DelayProfile
from shared.wire.errors import LocalProtocolError


@lru_cache(maxsize=64)
def pilot_sequence(n: int) -> NDArray[np.complex64]:
    """`n` pilots of unit modulus, known at both ends: a Zadoff-Chu sequence of root 1 (Chu 1972).

    Energy is exactly one per channel use, so pilots keep a group's power at one per use. The array is
    shared and read-only. Raises `LocalProtocolError` for a negative n.
    """
    if n < 0:
        raise LocalProtocolError(f"pilots: expected n >= 0, received {n}")
    k = np.arange(n)
    # The phase k(k + n mod 2)/n is reduced modulo 2 in integers first: cos and sin stay exact for long n.
    sequence = np.exp(-1j * np.pi * ((k * (k + n % 2)) % (2 * max(n, 1))) / max(n, 1)).astype(np.complex64)
    sequence.flags.writeable = False
    return sequence


def estimate_ls(received: NDArray[np.complex64], sent: NDArray[np.complex64]) -> complex:
    """Least-squares estimate of one flat gain h from y = h p + n: ĥ = Σ p* y / Σ|p|².

    Unbiased, with error variance N0 / Σ|p|² (N0/2 per real dimension and use, N0 = 10^(-SNR/10) for unit
    transmit power and E|h|^2 = 1); for white Gaussian noise it is the maximum-likelihood estimate.
    `received` and `sent` have the same shape [n], n >= 1. Raises `LocalProtocolError` otherwise.
    """
    if received.shape != sent.shape or sent.size == 0:
        raise LocalProtocolError(
            f"pilots: expected {sent.size} >= 1 samples of the same shape, received {received.shape}"
        )
    p = sent.astype(np.complex128)
    return complex(np.vdot(p, received.astype(np.complex128)) / np.vdot(p, p).real)


def ls_error_variance(n0: float, pilot_uses: int) -> float:
    """E|ĥ - h|² of `estimate_ls` with `pilot_uses` pilots of unit modulus: N0 / pilot_uses.

    N0 is the noise power per channel use, N0/2 per real dimension. Raises `LocalProtocolError` for no pilots.
    """
    if pilot_uses < 1:
        raise LocalProtocolError(f"pilots: expected pilot_uses >= 1, received {pilot_uses}")
    return n0 / pilot_uses


def estimate_lmmse(estimate: complex, error_variance: float, profile: DelayProfile) -> tuple[complex, float]:
    """The LMMSE estimate of a flat h, and its error variance, from a least-squares one and its variance.

    With h of mean m and variance v, and least squares h + e with Var e = s: m + v / (v + s) (h_LS - m), error
    variance v s / (v + s) (Kay 1993, theorem 10.3). For a Gaussian h no estimate has a smaller mean square
    error; its error is uncorrelated with it. E|h|^2 = 1, s = N0 / pilot uses.
    """
    mean, variance = float(profile.means()[0]), float(profile.variances()[0])
    total = variance + error_variance
    if total == 0.0:
        return complex(mean), 0.0
    share = variance / total
    return mean + share * (estimate - mean), share * error_variance
