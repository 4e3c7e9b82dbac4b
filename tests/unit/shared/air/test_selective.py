"""Estimates of a frequency-selective channel against theory."""

import numpy as np
import pytest

from shared.air.ofdm import Grid, response
from shared.air.profile import RAYLEIGH, DelayProfile
from shared.air.selective import estimate_lmmse, estimate_ls
from shared.air.tapped_delay_lines import lam_msc, tdl

GRID = Grid(64, 30e3)
PLACES = GRID.places(11, 80)
PILOTS = 16


def channels(profile: DelayProfile, n: int, n0: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(gains of all uses [n, 80], noisy pilots [n, 16])."""
    rng = np.random.default_rng(seed)

    def normals(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)

    taps = profile.means() + np.sqrt(profile.variances()) * normals(n, len(profile.powers))
    gains = np.stack([response(profile, GRID, row.astype(np.complex64), PLACES) for row in taps])
    return gains, gains[:, :PILOTS] + np.sqrt(n0) * normals(n, PILOTS)


@pytest.mark.parametrize("n0", [0.01, 1.0])
@pytest.mark.parametrize(
    "profile",
    [tdl("tdl_a", 300e-9), tdl("tdl_d", 300e-9), lam_msc(GRID.sample_s), RAYLEIGH],
    ids=["tdl_a", "tdl_d", "lam_msc", "rayleigh"],
)
def test_lmmse_has_the_error_that_it_says_and_less_than_least_squares(
    profile: DelayProfile, n0: float
) -> None:
    n = 4_000
    gains, heard = channels(profile, n, n0, seed=1)
    found = [estimate_lmmse(row, PLACES, profile, GRID, n0) for row in heard]
    said_U = found[0][1]
    errors = np.stack([estimate for estimate, _ in found]) - gains
    # Squared errors of complex normals: relative standard error 1/sqrt(n) at every use.
    np.testing.assert_allclose(np.mean(np.abs(errors) ** 2, 0), said_U, rtol=6 / np.sqrt(n), atol=1e-9)
    assert np.abs(errors.mean(0)).max() < 6 * np.sqrt(said_U.max() / n)
    plain = np.stack([estimate_ls(row, PLACES, n0)[0] for row in heard]) - gains
    assert said_U.mean() < 0.9 * np.mean(np.abs(plain) ** 2)


def test_on_a_flat_channel_lmmse_is_the_mean_of_all_pilots() -> None:
    heard = np.full(PILOTS, 0.4 - 0.3j)
    gains, errors = estimate_lmmse(heard, PLACES, RAYLEIGH, GRID, n0=4.0)
    # N0 / 16 = 1/4 beside a gain of variance 1
    np.testing.assert_allclose(gains, 0.8 * (0.4 - 0.3j), rtol=1e-5)
    np.testing.assert_allclose(errors, 0.2, rtol=1e-5)


def test_least_squares_is_exact_on_pilots_and_straight_between_them() -> None:
    places = np.array([40, 10, 20, 10, 10, 15, 25, 30, 63])
    heard = np.array([4.0, 1.0, 2.0j, 3.0], np.complex64)  # on 40, 10, 20 and 10 again: mean 2
    gains, errors = estimate_ls(heard, places, n0=0.8)
    expected = [4, 2, 2j, 2, 2, 1 + 1j, 1 + 1.5j, 2 + 1j, 4]
    np.testing.assert_allclose(gains, expected, rtol=1e-6)
    noise = [0.8, 0.4, 0.8, 0.4, 0.4, 0.25 * 0.4 + 0.25 * 0.8, 0.8 * (0.75**2 + 0.25**2), 0.4, 0.8]
    np.testing.assert_allclose(errors, noise, rtol=1e-5)


def test_one_pilot_speaks_for_the_whole_band() -> None:
    gains, errors = estimate_ls(np.array([1.0 + 1j]), PLACES, n0=0.5)
    np.testing.assert_allclose(gains, 1 + 1j)
    np.testing.assert_allclose(errors, 0.5)


def test_least_squares_has_the_noise_that_it_says_on_a_flat_channel() -> None:
    n, n0 = 4_000, 0.5
    gains, heard = channels(RAYLEIGH, n, n0, seed=2)
    found = [estimate_ls(row, PLACES, n0) for row in heard]
    errors = np.stack([estimate for estimate, _ in found]) - gains
    np.testing.assert_allclose(np.mean(np.abs(errors) ** 2, 0), found[0][1], rtol=6 / np.sqrt(n))
