"""The AWGN path: measured SNR, whiteness, bit error rates against theory, determinism."""

import math

import numpy as np
import pytest
import scipy.integrate
import torch

from channel_emulator.physics import noise
from channel_emulator.physics.fading import block_taps, rayleigh_gains
from channel_emulator.physics.noise import CHUNK_USES, noise_generator, transmit
from channel_emulator.physics.realisation import Realisation, constant
from shared.air.profile import rician
from shared.air.snr import n0_from_snr_db
from shared.rng import generator

N = 2**18  # relative standard error of a measured noise power: 1/sqrt(N) = 0.2%, 0.0085 dB


def _q(x: float) -> float:
    """Tail of the standard normal distribution."""
    return 0.5 * math.erfc(x / math.sqrt(2))


def _qpsk(n: int, *name: int | str) -> tuple[np.ndarray, np.ndarray]:
    """Unit-power QPSK and the bits (0 or 1) of its real parts."""
    bits = generator("qpsk", *name).integers(0, 2, (n, 2))
    return (((1 - 2 * bits) @ np.array([1, 1j])) / math.sqrt(2)).astype(np.complex64), bits[:, 0]


def _bit_error_rate_matches(errors: np.ndarray, theory: float) -> None:
    """Within five binomial standard deviations, and enough errors for that to mean something."""
    n = errors.size
    assert n * theory > 100
    assert abs(errors.mean() - theory) < 5 * math.sqrt(theory * (1 - theory) / n)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 10.0, 30.0])
def test_measured_snr_is_within_a_tenth_of_a_decibel(snr_db: float) -> None:
    # 0.1 dB is 2.3%: 11 standard errors.
    x, _ = _qpsk(N, "snr")
    y = transmit(x, constant(1.0, N), n0_from_snr_db(snr_db), noise_generator(1, 0, 0, 0, 0))
    noise_power = float(np.mean(np.abs(y - x).astype(float) ** 2))
    assert 10 * math.log10(1 / noise_power) == pytest.approx(snr_db, abs=0.1)


def test_each_real_dimension_has_half_and_they_are_independent() -> None:
    n0 = 0.5
    w = transmit(np.zeros(N, np.complex64), constant(1.0, N), n0, noise_generator(1, 0, 0, 0, 0))
    assert w.dtype == np.complex64
    five_sigma = 5 * n0 / 2 * math.sqrt(2 / N)
    assert np.mean(w.real.astype(float) ** 2) == pytest.approx(n0 / 2, abs=five_sigma)
    assert np.mean(w.imag.astype(float) ** 2) == pytest.approx(n0 / 2, abs=five_sigma)
    assert abs(w.mean()) < 5 * math.sqrt(n0 / N)
    # Correlations have standard error (power) / sqrt(N): between dimensions, neighbours, and chunks.
    assert abs(np.mean(w.real * w.imag)) < 5 * n0 / 2 / math.sqrt(N)
    for lag in (1, CHUNK_USES):
        assert abs(np.vdot(w[:-lag], w[lag:])) / (N - lag) < 5 * n0 / math.sqrt(N - lag)
    # Fourth moment of a complex normal: 2 N0²; |w|^4 has standard deviation sqrt(20) N0².
    assert np.mean(np.abs(w).astype(float) ** 4) == pytest.approx(
        2 * n0**2, abs=5 * math.sqrt(20 / N) * n0**2
    )


@pytest.mark.parametrize("snr_db", [0.0, 4.0, 8.0])
def test_qpsk_over_awgn_errs_as_theory_says(snr_db: float) -> None:
    # Gray QPSK, per bit: Q(sqrt(2 Eb/N0)) = Q(sqrt(Es/N0)) (Proakis, Digital Communications, ch. 4).
    x, bits = _qpsk(N, "awgn", int(snr_db))
    y = transmit(x, constant(1.0, N), n0_from_snr_db(snr_db), noise_generator(2, 0, 0, int(snr_db), 0))
    _bit_error_rate_matches((y.real < 0) != bits, _q(math.sqrt(10 ** (snr_db / 10))))


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_qpsk_over_rayleigh_errs_as_theory_says(snr_db: float) -> None:
    # Coherent, a fresh gain per use so that errors are independent: with g = Eb/N0 = Es/N0 / 2,
    # P = (1 - sqrt(g / (1 + g))) / 2 (Proakis, Digital Communications, ch. 13).
    x, bits = _qpsk(N, "rayleigh", int(snr_db))
    h = rayleigh_gains(7, int(snr_db) * N, N)
    air = Realisation(h[:, None], np.ones(N, np.int64))
    y = transmit(x, air, n0_from_snr_db(snr_db), noise_generator(3, 0, 0, int(snr_db), 0))
    g = 10 ** (snr_db / 10) / 2
    _bit_error_rate_matches(((y * h.conj()).real < 0) != bits, (1 - math.sqrt(g / (1 + g))) / 2)


@pytest.mark.parametrize("k_factor_db", [0.0, 10.0])
def test_qpsk_over_rician_errs_as_theory_says(k_factor_db: float) -> None:
    # Averages Q(sqrt(g |h|²)) by |h|²'s moment generating function (Simon and Alouini 2005, 5.1 and 8.2.1).
    snr_db, k = 8.0, 10 ** (k_factor_db / 10)
    x, bits = _qpsk(N, "rician", int(k_factor_db))
    h = block_taps(rician(k_factor_db), 8, int(k_factor_db) * N, N)
    air = Realisation(h, np.ones(N, np.int64))
    y = transmit(x, air, n0_from_snr_db(snr_db), noise_generator(4, 0, 0, int(k_factor_db), 0))

    def under_the_integral(angle: float) -> float:
        s = -(10 ** (snr_db / 10)) / (2 * math.sin(angle) ** 2)
        return (1 + k) / (1 + k - s) * math.exp(k * s / (1 + k - s))

    theory = scipy.integrate.quad(under_the_integral, 0, math.pi / 2)[0] / math.pi
    _bit_error_rate_matches(((y * h[:, 0].conj()).real < 0) != bits, theory)


@pytest.mark.parametrize("fading", [False, True])
@pytest.mark.parametrize("snr_db", [5.0, 12.0])
def test_16qam_errs_as_theory_says(snr_db: float, fading: bool) -> None:
    # Gray mapping, bit by bit: (3 Q(d) + 2 Q(3 d) - Q(5 d)) / 4 with d² = Es/N0 / 5 (Cho and Yoon 2002);
    # under Rayleigh fading each Q(c d) becomes (1 - sqrt(m / (1 + m))) / 2, m = c² Es/N0 / 10.
    bits_N2 = generator("16qam", int(snr_db), fading).integers(0, 2, (2 * N, 2))
    levels = (1 - 2 * bits_N2[:, 0]) * (1 + 2 * bits_N2[:, 1]) / math.sqrt(10)
    x = (levels[:N] + 1j * levels[N:]).astype(np.complex64)
    h = rayleigh_gains(9, int(snr_db) * N, N) if fading else np.ones(N, np.complex64)
    air = Realisation(h[:, None], np.ones(N, np.int64))
    y = transmit(x, air, n0_from_snr_db(snr_db), noise_generator(5, 0, 0, int(snr_db), int(fading))) / h
    heard = np.concatenate([y.real, y.imag]) * math.sqrt(10)
    wrong_N2 = np.stack([heard < 0, np.abs(heard) > 2], 1) != bits_N2
    snr = 10 ** (snr_db / 10)

    def term(c: int) -> float:
        m = c * c * snr / 10
        return (1 - math.sqrt(m / (1 + m))) / 2 if fading else _q(c * math.sqrt(snr / 5))

    # Both bits of one dimension of every use as one number: those are independent of each other.
    _bit_error_rate_matches(wrong_N2[:N].mean(1), (3 * term(1) + 2 * term(3) - term(5)) / 4)


def test_noise_belongs_to_the_transmission_and_to_nothing_else() -> None:
    def drawn(*names: int, n0: float = 1.0, x: complex = 0.0, n: int = 3 * CHUNK_USES + 5) -> np.ndarray:
        sent = np.full(n, x, np.complex64)
        return transmit(sent, constant(1.0, n), n0, noise_generator(*names))

    reference = drawn(1, 2, 3, 4, 0)
    np.testing.assert_array_equal(drawn(1, 2, 3, 4, 0), reference)
    for other in ((2, 2, 3, 4, 0), (1, 3, 3, 4, 0), (1, 2, 4, 4, 0), (1, 2, 3, 5, 0), (1, 2, 3, 4, 1)):
        different = drawn(*other)
        correlation = abs(np.vdot(different, reference)) / reference.size
        assert correlation < 5 / math.sqrt(reference.size)
    np.testing.assert_allclose(drawn(1, 2, 3, 4, 0, n0=0.25), reference / 2, rtol=1e-6)
    np.testing.assert_allclose(drawn(1, 2, 3, 4, 0, x=1.0) - 1.0, reference, atol=1e-6)
    # A longer frame begins with the same noise.
    np.testing.assert_array_equal(drawn(1, 2, 3, 4, 0, n=4 * CHUNK_USES)[: reference.size], reference)


def test_chunks_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def received() -> np.ndarray:
        return transmit(
            np.ones(1_000, np.complex64), constant(1j, 1_000), 0.1, noise_generator(1, 0, 0, 0, 0)
        )

    whole = received()
    monkeypatch.setattr(noise, "CHUNK_USES", 64)
    np.testing.assert_allclose(received(), whole, rtol=1e-6, atol=1e-6)


def test_where_the_result_lies_changes_nothing() -> None:
    x, room = np.ones(100, np.complex64), np.full(120, 7, np.complex64)
    fresh, reused, too_small = (
        transmit(x, constant(1j, 100), 0.5, noise_generator(1, 0, 0, 0, 0), given)
        for given in (None, room, room[:99])
    )
    assert np.array_equal(fresh, reused)
    assert np.array_equal(fresh, too_small)
    assert np.shares_memory(reused, room)
    assert (room[100:] == 7).all()


def test_distribution_of_the_noise() -> None:
    # Kolmogorov-Smirnov: P(D sqrt(N) > 2.5) = 2 exp(-2 x 2.5²) = 7e-6.
    n0 = 0.3
    w = transmit(np.zeros(N, np.complex64), constant(1.0, N), n0, noise_generator(4, 0, 0, 0, 0))
    grid = np.arange(1, N + 1) / N
    normal = torch.special.ndtr(torch.from_numpy(w.real / math.sqrt(n0 / 2)).double()).numpy()
    for uniform in (
        1 - np.exp(-(np.abs(w).astype(float) ** 2) / n0),
        np.angle(w) / (2 * np.pi) + 0.5,
        normal,
    ):
        assert np.abs(np.sort(uniform) - grid).max() * math.sqrt(N) < 2.5
    # The tail: |w|² > 9 n0 has probability e^-9, N of them 32 on average (Poisson: 3 ... 75 is > 5 sigma).
    assert 3 < np.count_nonzero(np.abs(w) ** 2 > 9 * n0) < 75


@pytest.mark.parametrize("n0", [0.0, 0.1])
def test_every_use_meets_its_own_blocks_gain(n0: float) -> None:
    air = Realisation(np.array([[1], [2j], [-3]], np.complex64), np.array([2, 1, 4]))
    x = np.arange(1, 8).astype(np.complex64)
    y = transmit(x, air, n0, noise_generator(1, 0, 0, 0, 0))
    w = transmit(np.zeros(7, np.complex64), air, n0, noise_generator(1, 0, 0, 0, 0))
    np.testing.assert_allclose(y - w, x * np.array([1, 1, 2j, -3, -3, -3, -3]), atol=1e-5)


def test_a_realisation_for_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 4 samples"):
        transmit(np.ones(3, np.complex64), constant(1.0, 4), 0.1, noise_generator(1, 0, 0, 0, 0))
