"""The quantiser against the error that theory gives it, and its bits against themselves."""

import numpy as np
import pytest

from shared.air import quantise

BITS = sorted(quantise.MAX_UNIFORM)


def gaussian(tokens: int, uses: int) -> np.ndarray:
    """Unit average power."""
    rng = np.random.default_rng(3)
    parts = rng.standard_normal((2, tokens, uses)) * 0.5**0.5
    symbols: np.ndarray = (parts[0] + 1j * parts[1]).astype(np.complex64)
    return symbols


@pytest.mark.parametrize("bits", BITS)
def test_gaussian_symbols_err_as_max_says(bits: int) -> None:
    symbols_NU = gaussian(20_000, 14)
    sent = quantise.to_bits(symbols_NU, bits)
    assert sent.shape == (20_000, quantise.bits_per_token(14, bits))
    error = np.mean(np.abs(quantise.from_bits(sent, bits) - symbols_NU) ** 2)
    assert error == pytest.approx(quantise.error_variance(bits), rel=0.02)


@pytest.mark.parametrize("bits", BITS)
def test_what_was_quantised_stays_as_it_is(bits: int) -> None:
    once = quantise.from_bits(quantise.to_bits(gaussian(50, 7), bits), bits)
    np.testing.assert_array_equal(quantise.from_bits(quantise.to_bits(once, bits), bits), once)


def test_values_beyond_the_last_level_are_that_level() -> None:
    far = np.array([[100.0 - 100.0j]], np.complex64)
    step, _ = quantise.MAX_UNIFORM[3]
    level = np.float32(3.5 * step * 0.5**0.5)
    np.testing.assert_allclose(quantise.from_bits(quantise.to_bits(far, 3), 3), [[level - 1j * level]])
