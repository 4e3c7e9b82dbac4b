"""Pilots; least squares against the Cramér-Rao bound, N0 / Σ|p|²; LMMSE against its own."""

import math

import numpy as np
import pytest

from shared.air.pilots import estimate_lmmse, estimate_ls, ls_error_variance, pilot_sequence
from shared.air.profile import NO_FADING, RAYLEIGH, DelayProfile, rician
from shared.rng import generator
from shared.wire.errors import LocalProtocolError


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 4_096])
def test_unit_modulus_and_no_periodic_autocorrelation(n: int) -> None:
    p = pilot_sequence(n)
    assert p.shape == (n,)
    assert p.dtype == np.complex64
    np.testing.assert_allclose(np.abs(p), 1.0, atol=1e-6)
    # Chu 1972: the periodic autocorrelation is zero at every shift; so the spectrum is flat.
    np.testing.assert_allclose(np.abs(np.fft.fft(p.astype(complex))), math.sqrt(n), rtol=1e-4)


def test_the_shared_sequence_cannot_be_changed() -> None:
    assert pilot_sequence(16) is pilot_sequence(16)
    with pytest.raises(ValueError, match="read-only"):
        pilot_sequence(16)[0] = 0


def test_noiseless_estimate_is_exact() -> None:
    p = pilot_sequence(16)
    assert estimate_ls(np.complex64(0.3 - 0.7j) * p, p) == pytest.approx(0.3 - 0.7j, abs=1e-6)


def test_error_is_unbiased_and_meets_the_bound() -> None:
    # 20,000 trials: the relative standard error of a variance of complex normals is 1/sqrt(20,000) = 0.7%,
    # so 5 sigma is 3.6%; of the mean, sqrt(bound / 20,000).
    trials, n, n0, h = 20_000, 8, 0.5, 0.6 + 0.8j
    rng = generator(1, "pilots")
    p = pilot_sequence(n)
    noise = math.sqrt(n0 / 2) * (rng.standard_normal((trials, n)) + 1j * rng.standard_normal((trials, n)))
    errors = np.array([estimate_ls((h * p + w).astype(np.complex64), p) - h for w in noise])
    bound = ls_error_variance(n0, n)
    assert bound == n0 / n
    assert abs(errors.mean()) < 5 * math.sqrt(bound / trials)
    assert np.mean(np.abs(errors) ** 2) == pytest.approx(bound, rel=5 / math.sqrt(trials))


@pytest.mark.parametrize("profile", [RAYLEIGH, rician(0.0), rician(10.0)])
@pytest.mark.parametrize("n0", [0.1, 4.0])
def test_lmmse_meets_its_bound_and_beats_least_squares(profile: DelayProfile, n0: float) -> None:
    # As above: 5 sigma of a mean square over `trials`.
    trials, n = 20_000, 4
    rng = generator(2, "pilots")

    def normals(variance: float) -> np.ndarray:
        return math.sqrt(variance / 2) * (rng.standard_normal(trials) + 1j * rng.standard_normal(trials))

    mean, variance = profile.means()[0], profile.variances()[0]
    h, s = mean + normals(variance), ls_error_variance(n0, n)
    least_squares = h + normals(s)
    found = [estimate_lmmse(complex(z), s, profile) for z in least_squares]
    errors = np.array([estimate for estimate, _ in found]) - h
    bound = variance * s / (variance + s)
    assert found[0][1] == pytest.approx(bound)
    assert np.mean(np.abs(errors) ** 2) == pytest.approx(bound, rel=5 / math.sqrt(trials))
    assert bound < s
    # The error is uncorrelated with the estimate: the equaliser may treat it as noise of its own.
    estimates = np.array([estimate for estimate, _ in found]) - mean
    assert abs(np.vdot(estimates, errors)) / trials < 5 * math.sqrt(variance * bound / trials)


def test_lmmse_at_the_ends() -> None:
    assert estimate_lmmse(0.3 - 0.7j, 0.0, RAYLEIGH) == (0.3 - 0.7j, 0.0)
    assert estimate_lmmse(0.3 - 0.7j, 0.5, NO_FADING) == (1.0, 0.0)
    assert estimate_lmmse(0.3 - 0.7j, 0.0, NO_FADING) == (1.0, 0.0)


def test_bad_pilots_are_refused() -> None:
    p = pilot_sequence(4)
    for received, sent in ((p[:3], p), (p[:0], p[:0])):
        with pytest.raises(LocalProtocolError):
            estimate_ls(received, sent)
    with pytest.raises(LocalProtocolError):
        pilot_sequence(-1)
    with pytest.raises(LocalProtocolError):
        ls_error_variance(0.1, 0)
