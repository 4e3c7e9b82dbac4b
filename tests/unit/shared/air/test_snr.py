"""SNR conversions: average received Es/N0 per channel use, N0 = 10^(-SNR/10)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.air.snr import n0_from_snr_db, n0_of, snr_db_from_n0


@pytest.mark.parametrize(
    ("snr_db", "n0"), [(0.0, 1.0), (10.0, 0.1), (-10.0, 10.0), (3.0103, 0.5), (20.0, 0.01)]
)
def test_known_values(snr_db: float, n0: float) -> None:
    assert n0_from_snr_db(snr_db) == pytest.approx(n0, rel=1e-6)
    assert snr_db_from_n0(n0) == pytest.approx(snr_db, abs=1e-5)


@given(st.floats(-100.0, 200.0))
def test_the_conversions_are_inverse(snr_db: float) -> None:
    assert snr_db_from_n0(n0_from_snr_db(snr_db)) == pytest.approx(snr_db, abs=1e-9)


def test_no_noise_is_infinite_snr_and_back() -> None:
    assert snr_db_from_n0(0.0) == math.inf
    assert n0_from_snr_db(math.inf) == 0.0


def test_only_the_ideal_channel_has_no_noise() -> None:
    assert n0_of("ideal", 10.0) == 0.0
    assert n0_of("awgn", 10.0) == n0_of("rayleigh", 10.0) == pytest.approx(0.1)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        n0_from_snr_db(math.nan)
    for n0 in (-1.0, math.nan):
        with pytest.raises(ValueError, match="n0"):
            snr_db_from_n0(n0)
