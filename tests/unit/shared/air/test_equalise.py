"""One-tap equaliser: the symbols come back, and the stated noise variance is the true one."""

import math

import numpy as np
import pytest

from shared.air.equalise import MIN_GAIN_POWER, equalise
from shared.air.pilots import estimate_ls, ls_error_variance, pilot_sequence
from shared.rng import generator


def _normals(n: int, *name: int | str) -> np.ndarray:
    """CN(0, 1) samples."""
    rng = generator("test_equalise", *name)
    return ((rng.standard_normal(n) + 1j * rng.standard_normal(n)) / math.sqrt(2)).astype(np.complex64)


@pytest.mark.parametrize("gain", [1.0 + 0j, 0.1j, -2.0 + 1.5j])
def test_one_gain_for_all(gain: complex) -> None:
    x = _normals(1_000, "x")
    x_hat, variance = equalise((np.complex64(gain) * x), gain, 0.1)
    np.testing.assert_allclose(x_hat, x, rtol=2e-6, atol=1e-6)
    assert isinstance(variance, float)
    assert variance == pytest.approx(0.1 / abs(gain) ** 2)


def test_one_gain_per_sample_agrees_with_one_for_all() -> None:
    y, gain = _normals(500, "y"), 0.3 - 0.4j
    flat, variance = equalise(y, gain, 0.2)
    each, variances = equalise(y, np.full(500, gain, np.complex64), 0.2)
    np.testing.assert_allclose(each, flat, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variances, variance, rtol=1e-5)
    assert variances.dtype == np.float32


def test_stated_variance_is_the_measured_one() -> None:
    # 2^17 samples: relative standard error of a variance 0.28%, 5 sigma 1.4%.
    n, n0 = 2**17, 0.3
    x, w = _normals(n, "x"), _normals(n, "w")
    gain = 0.5 + np.abs(_normals(n, "h"))  # bounded away from 0, so that 1/|h|² has a variance
    x_hat, variances = equalise(
        (gain * x + math.sqrt(n0) * w).astype(np.complex64), gain.astype(np.complex64), n0
    )
    normalised = np.abs(x_hat - x) ** 2 / variances
    assert normalised.mean() == pytest.approx(1.0, abs=5 / math.sqrt(n))


def test_variance_with_an_estimated_gain() -> None:
    # First order in the estimate's error: 16 pilots at 20 dB leave a second-order part below 0.1%.
    # 4,000 frames of 32 uses; the estimate's error is common to a frame, hence 4,000 in the error bar.
    frames, n, n0, pilots, gain = 4_000, 32, 0.01, 16, 0.8 - 0.3j
    p = pilot_sequence(pilots)
    measured, stated = [], []
    for i in range(frames):
        x = _normals(n, "x", i)
        sent = np.concatenate([p, x])
        y = (gain * sent + math.sqrt(n0) * _normals(n + pilots, "w", i)).astype(np.complex64)
        x_hat, variance = equalise(y[pilots:], estimate_ls(y[:pilots], p), n0, ls_error_variance(n0, pilots))
        measured.append(float(np.mean(np.abs(x_hat - x) ** 2)))
        stated.append(variance)
    error_bar = float(np.std(measured)) / math.sqrt(frames)
    assert np.mean(measured) == pytest.approx(float(np.mean(stated)), abs=5 * error_bar)


def test_a_vanished_channel_gives_finite_numbers() -> None:
    y = np.ones(3, np.complex64)
    x_hat, variance = equalise(y, 0j, 0.1)
    assert np.isfinite(x_hat).all()
    assert variance == pytest.approx(0.1 / MIN_GAIN_POWER)
    x_hat, variances = equalise(y, np.zeros(3, np.complex64), 0.1)
    assert np.isfinite(x_hat).all()
    assert np.isfinite(variances).all()
