"""Side information through code and noise, against what the scheme promises; lengths lead back to blocks."""

import numpy as np
import pytest
from scipy.stats import binom

from shared.air import ldpc, side_code
from shared.air.side_code import BLOCK_BITS, SCHEMES, Scheme, scheme_at, uses_of

#: A code that fails one block in a thousand fails so often in BLOCKS once in a million runs of the test.
BLOCKS = 2_000
MOST_ERRORS = int(binom.ppf(1 - 1e-6, BLOCKS, 1e-3))


def noisy(symbols: np.ndarray, snr_db: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    n0 = 10 ** (-snr_db / 10)
    noise = np.random.default_rng(seed).standard_normal((*symbols.shape, 2)) @ np.array([1, 1j])
    received = (symbols + noise * (n0 / 2) ** 0.5).astype(np.complex64)
    return received, np.full(symbols.shape, n0, np.float32)


@pytest.mark.parametrize("scheme", SCHEMES[:4], ids=lambda s: str(s.rate))
def test_at_its_least_snr_at_most_one_block_in_a_thousand_fails(scheme: Scheme) -> None:
    bits_BK = np.random.default_rng(1).integers(0, 2, (BLOCKS, BLOCK_BITS[0]), np.uint8)
    sent = ldpc.qpsk(ldpc.encode(bits_BK, scheme.coded_bits(BLOCK_BITS[0])))
    llr = ldpc.qpsk_llr(*noisy(sent, scheme.least_snr_db, 2))
    wrong = int((ldpc.decode(llr, BLOCK_BITS[0]) != bits_BK).any(1).sum())
    assert wrong <= MOST_ERRORS


def test_uncoded_qpsk_has_the_error_rate_of_theory() -> None:
    """Q(sqrt(Es/N0)) a bit."""
    from scipy.stats import norm

    bits = np.random.default_rng(0).integers(0, 2, 200_000, np.uint8)
    llr = ldpc.qpsk_llr(*noisy(ldpc.qpsk(bits), 4.0, 5))
    errors, expected = int(((llr > 0) != bits).sum()), norm.sf(10 ** (4.0 / 20)) * len(bits)
    assert abs(errors - expected) < 5 * expected**0.5


@pytest.mark.parametrize("n_bits", [1, 58, 64, 65, 500, 1_024, 1_025, 5_000])
@pytest.mark.parametrize("snr_db", [15.0, 3.0, -2.0, -5.0])
def test_a_message_comes_back_with_zeros_after_it(n_bits: int, snr_db: float) -> None:
    payload = np.random.default_rng(n_bits).bytes(-(-n_bits // 8))
    symbols = side_code.encode(payload, n_bits, snr_db)
    assert len(symbols) == uses_of(n_bits, snr_db)
    np.testing.assert_allclose(np.abs(symbols), 1.0, rtol=1e-6)
    received, noise = noisy(symbols, snr_db + 3.0, 3)
    said = np.unpackbits(np.frombuffer(side_code.decode([(received, noise)], snr_db), np.uint8))
    np.testing.assert_array_equal(said[:n_bits], np.unpackbits(np.frombuffer(payload, np.uint8))[:n_bits])
    assert not said[n_bits:].any()


def test_every_number_of_uses_means_one_length() -> None:
    for scheme in SCHEMES:
        uses = [scheme.uses(k) for k in BLOCK_BITS] + [b * scheme.uses(BLOCK_BITS[-1]) for b in (2, 3, 512)]
        assert len(set(uses)) == len(uses)


def test_better_air_costs_fewer_uses_and_below_the_last_scheme_there_is_none() -> None:
    costs = [uses_of(60, snr_db) for snr_db in (20, 5, 3, 0, -3, -6, -9, -30)]
    assert costs == sorted(costs)
    assert costs[-1] == costs[-2]
    assert scheme_at(-30) is SCHEMES[-1]


@pytest.mark.parametrize("uses", [0, 1, 47, 100_000])
def test_a_number_of_uses_that_no_message_has_is_refused(uses: int) -> None:
    with pytest.raises(ValueError, match="no side information has so many"):
        side_code.decode([(np.ones(uses, np.complex64), np.ones(uses, np.float32))], 15.0)


def test_too_long_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at most"):
        uses_of(512 * 1_024 + 1, 0.0)
