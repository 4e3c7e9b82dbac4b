"""Where channel uses lie in frequency, and what several taps make of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.air.ofdm import Grid, covariance, response, stride, turns
from shared.air.profile import RAYLEIGH, DelayProfile
from shared.air.tapped_delay_lines import tdl

GRID = Grid(128, 30e3)


@given(st.integers(1, 600), st.integers(0, 2**40))
def test_every_subcarrier_is_met_once_in_a_round(subcarriers: int, first_use: int) -> None:
    places = Grid(subcarriers, 15e3).places(first_use, subcarriers)
    assert sorted(places.tolist()) == list(range(subcarriers))


@given(st.integers(0, 2**40), st.integers(0, 200), st.integers(0, 200))
def test_a_use_has_its_place_from_wherever_one_looks(first_use: int, before: int, uses: int) -> None:
    whole = GRID.places(first_use, before + uses)
    np.testing.assert_array_equal(GRID.places(first_use + before, uses), whole[before:])


@pytest.mark.parametrize("subcarriers", [64, 128, 256, 1_000])
def test_few_consecutive_uses_are_spread_over_the_band(subcarriers: int) -> None:
    """The gaps between n places on a circle, for multiples of the golden ratio: at most 2.62 / n of it."""
    assert math.gcd(stride(subcarriers), subcarriers) == 1
    for n in (4, 16, 32):
        places = np.sort(Grid(subcarriers, 15e3).places(3, n))
        gaps = np.diff(np.append(places, places[0] + subcarriers))
        assert gaps.max() <= 2.62 * subcarriers / n + 2


def test_one_delay_turns_the_phase_along_the_band() -> None:
    profile = DelayProfile((1e-6,), (1.0,))
    gains = response(profile, GRID, np.array([0.5j], np.complex64), np.arange(128))
    np.testing.assert_allclose(np.abs(gains), 0.5, rtol=1e-5)
    # -2 pi x 30 kHz x 1 us a subcarrier
    np.testing.assert_allclose(np.angle(gains[1:] / gains[:-1]), -2 * np.pi * 0.03, rtol=1e-4)


def test_taps_at_sampling_instants_are_a_fourier_transform() -> None:
    taps = np.array([0.7, 0.2 - 0.3j, 0.1j], np.complex64)
    profile = DelayProfile(tuple(i * GRID.sample_s for i in (0, 2, 5)), (0.6, 0.3, 0.1))
    impulse = np.zeros(128, complex)
    impulse[[0, 2, 5]] = taps
    # The DFT's frequencies from -(K/2 - 1) to K/2, as the grid numbers them.
    expected = np.roll(np.fft.fft(impulse), 128 // 2 - 1)
    np.testing.assert_allclose(response(profile, GRID, taps, np.arange(128)), expected, atol=1e-6)


def test_covariance_is_that_of_the_responses() -> None:
    profile = tdl("tdl_c", 300e-9)
    all_places = np.arange(128)
    waves = turns(profile, GRID)
    expected = (waves * profile.variances()) @ waves.conj().T
    np.testing.assert_allclose(covariance(profile, GRID, all_places, all_places), expected, atol=1e-12)
    flat = covariance(RAYLEIGH, GRID, all_places[:3], all_places[:5])
    np.testing.assert_allclose(flat, np.ones((3, 5)), atol=1e-12)
