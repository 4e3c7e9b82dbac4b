"""Energy and normalisation: n channel uses carry energy n."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.air.power import amplitude_code, amplitude_of, energy, normalise, scale_to_unit_power
from shared.wire.errors import LocalProtocolError


def test_energy_is_the_sum_of_squared_magnitudes() -> None:
    assert energy(np.array([3 + 4j, 1j, 0], dtype=np.complex64)) == 26.0
    assert energy(np.array([[1, 1], [1j, -1]], dtype=np.complex64)) == 4.0
    assert energy(np.array([], dtype=np.complex64)) == 0.0


def test_energy_of_many_samples_does_not_drift() -> None:
    # In single precision the sum of four million equal terms would be off by 1e-4 and more.
    x = np.full(2**22, 0.1 + 0.1j, dtype=np.complex64)
    exact = 2**22 * 2.0 * float(np.float32(0.1)) ** 2
    assert energy(x) == pytest.approx(exact, rel=1e-10)


@given(
    hnp.arrays(np.complex64, st.integers(1, 64), elements=st.complex_numbers(max_magnitude=1e3, width=64)),
    st.floats(1e-3, 1e3),
)
def test_normalised_energy_is_the_number_of_uses(x: np.ndarray, scale: float) -> None:
    x = x + np.complex64(1e-2)
    if energy(x) < 1e-6:
        return
    y = normalise((x * scale).astype(np.complex64))
    assert y.dtype == np.complex64
    assert energy(y) == pytest.approx(x.size, rel=1e-5)
    # Only the scale changes: the direction is that of x.
    assert abs(np.vdot(y, x)) == pytest.approx(math.sqrt(energy(x) * energy(y)), rel=1e-4)


def test_one_factor_normalises_a_group_of_frames() -> None:
    frames = [np.full(3, 2.0, np.complex64), np.full(5, 1j, np.complex64)]
    factor = np.float32(scale_to_unit_power(sum(map(energy, frames)), 8))
    assert sum(energy(f * factor) for f in frames) == pytest.approx(8.0, rel=1e-6)


@pytest.mark.parametrize("x", [[], [0, 0], [np.nan, 1], [np.inf, 1]])
def test_what_has_no_direction_is_refused(x: list[complex]) -> None:
    with pytest.raises(LocalProtocolError, match="power"):
        normalise(np.array(x, dtype=np.complex64))


@given(st.floats(10 ** (-31.9 / 20), 10 ** (31.4 / 20)))
def test_an_amplitude_is_told_to_a_quarter_of_a_decibel(amplitude: float) -> None:
    told = amplitude_of(amplitude_code(amplitude))
    assert abs(20 * math.log10(told / amplitude)) <= 0.2500001


@pytest.mark.parametrize("amplitude", [1e-2, 1e2])
def test_an_amplitude_that_cannot_be_told_is_an_error(amplitude: float) -> None:
    with pytest.raises(LocalProtocolError, match="amplitude"):
        amplitude_code(amplitude)


def test_no_amplification_is_told_exactly() -> None:
    assert amplitude_of(amplitude_code(1.0)) == 1.0
