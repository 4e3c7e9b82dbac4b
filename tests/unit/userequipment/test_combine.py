"""Maximum-ratio combining against theory: SNRs add up, and what is left has the variance that is told."""

from dataclasses import replace

import numpy as np
import pytest

from shared.air import samples
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols
from userequipment.combine import combined, combined_snr_db, equalise_copies

AIR = Air(ChannelConfig(model="awgn"), 6.0)
N0 = 10 ** (-0.6)
USES = 10_000


def received(variance: float, seed: int) -> TokenSymbols:
    """Zeros, behind noise of a variance."""
    noise = np.random.default_rng(seed).standard_normal((USES, 2)) * (variance / 2) ** 0.5
    symbols = (noise[:, 0] + 1j * noise[:, 1]).astype(np.complex64)
    return TokenSymbols(symbols, np.full(USES, variance, np.float32))


@pytest.mark.parametrize("variances", [(0.2, 0.2), (0.1, 1.0), (0.5, 0.4, 0.1)])
def test_snrs_add_up_and_the_noise_is_what_is_told(variances: tuple[float, ...]) -> None:
    token = combined([received(v, seed) for seed, v in enumerate(variances)])
    expected = 1.0 / sum(1.0 / v for v in variances)
    np.testing.assert_allclose(token.noise_variance_U, expected, rtol=1e-5)
    # The mean square of USES complex normals deviates by 1 / sqrt(USES): four of them.
    assert float(np.mean(np.abs(token.symbols_U) ** 2)) == pytest.approx(expected, rel=4 / USES**0.5)


def test_the_symbols_themselves_pass_unchanged() -> None:
    sent = np.exp(1j * np.arange(8)).astype(np.complex64)
    copies = [TokenSymbols(sent, np.full(8, v, np.float32)) for v in (0.3, 2.0)]
    np.testing.assert_allclose(combined(copies).symbols_U, sent, rtol=1e-6)


def test_a_copy_without_noise_is_taken_alone() -> None:
    clean = TokenSymbols(np.ones(4, np.complex64), np.zeros(4, np.float32))
    noisy = TokenSymbols(np.zeros(4, np.complex64), np.ones(4, np.float32))
    assert combined([noisy, clean]) is clean


def a_frame(attempt: int, value: complex = 1.0) -> SymbolFrame:
    payload, scale = samples.to_wire(np.full(8, value, np.complex64), "cf32")
    return SymbolFrame(
        stream="private", users=(0,), group_id=0, frame_id=0, attempt=attempt, first_token=3, n_tokens=2,
        uses_per_token=4, pilot_uses=0, first_use=0, uses=8, energy=8.0, sample_format="cf32",
        full_scale=scale, payload=payload,
    )  # fmt: skip


def test_copies_of_a_frame_are_combined_token_by_token() -> None:
    tokens = equalise_copies([a_frame(0, 1.0), a_frame(1, 3.0)], AIR)
    assert set(tokens) == {3, 4}
    np.testing.assert_allclose(tokens[4].symbols_U, 2.0)
    np.testing.assert_allclose(tokens[4].noise_variance_U, N0 / 2, rtol=1e-5)
    assert combined_snr_db([a_frame(0)], AIR) == pytest.approx(6.0)
    assert combined_snr_db([a_frame(0), a_frame(1)], AIR) == pytest.approx(6.0 + 10 * np.log10(2))
    assert combined_snr_db([a_frame(0)], Air(ChannelConfig(model="ideal"), 0.0)) == float("inf")


def test_a_copy_that_cannot_be_read_does_not_count() -> None:
    damaged = replace(a_frame(1), payload=bytes(3))
    np.testing.assert_allclose(equalise_copies([damaged, a_frame(0, 5.0)], AIR)[3].symbols_U, 5.0)
    for copies in ([damaged], [damaged, damaged]):
        with pytest.raises(ProtocolError):
            equalise_copies(copies, AIR)
        assert combined_snr_db(copies, AIR) == -np.inf
