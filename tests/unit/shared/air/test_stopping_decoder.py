"""The decoder that stops, against Sionna's that goes on: the same bits, for fewer iterations."""

import numpy as np
import pytest
import torch
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
from torch import Tensor

from shared.air import ldpc
from shared.air.stopping_decoder import StoppingDecoder

K, N = 96, 192
THRESHOLD_DB = 0.5
"""Es/N0 of QPSK at about which a block of these fails every other time."""


def received(encoder: LDPC5GEncoder, blocks: int, snr_db: float, seed: int) -> tuple[np.ndarray, Tensor]:
    """Information bits [B, K] of random blocks, and what the channel says of their coded bits [B, N]."""
    rng = np.random.default_rng(seed)
    bits_BK = rng.integers(0, 2, (blocks, K))
    symbols = ldpc.qpsk(encoder(torch.from_numpy(bits_BK).float()).numpy())
    n0 = 10.0 ** (-snr_db / 10.0)
    noise = rng.standard_normal((*symbols.shape, 2)) @ np.array([1, 1j]) * (n0 / 2) ** 0.5
    return bits_BK, torch.from_numpy(ldpc.qpsk_llr((symbols + noise).astype(np.complex64), np.float32(n0)))


@pytest.mark.parametrize(("blocks", "harq_mode"), [(60, False), (12, True)])
@pytest.mark.parametrize("snr_db", [THRESHOLD_DB - 1.5, THRESHOLD_DB, THRESHOLD_DB + 1.0, 15.0])
def test_a_block_alone_gives_the_same_bits_as_with_all_iterations(
    snr_db: float, blocks: int, harq_mode: bool
) -> None:
    encoder = LDPC5GEncoder(K, N, device="cpu")
    options = {"num_iter": ldpc.ITERATIONS, "harq_mode": harq_mode}
    stopping = StoppingDecoder(encoder, **options)
    going_on = LDPC5GDecoder(encoder, device="cpu", **options)
    _, llr_BN = received(encoder, blocks, snr_db, seed=1)
    alone = torch.cat([stopping(llr_1N) for llr_1N in llr_BN.split(1)])
    assert torch.equal(alone, going_on(llr_BN))


def test_a_batch_goes_on_until_its_last_block_is_found() -> None:
    encoder = LDPC5GEncoder(K, N, device="cpu")
    _, llr_BN = received(encoder, 200, THRESHOLD_DB, seed=2)
    said = StoppingDecoder(encoder, num_iter=ldpc.ITERATIONS)(llr_BN)
    assert torch.equal(said, LDPC5GDecoder(encoder, num_iter=ldpc.ITERATIONS, device="cpu")(llr_BN))


def test_far_above_the_threshold_a_few_iterations_do(monkeypatch: pytest.MonkeyPatch) -> None:
    iterations = []
    whole = LDPC5GDecoder._bp_iter
    monkeypatch.setattr(
        LDPC5GDecoder, "_bp_iter", lambda self, *args: iterations.append(args[-1]) or whole(self, *args)
    )
    encoder = LDPC5GEncoder(K, N, device="cpu")
    bits_BK, llr_BN = received(encoder, 20, 15.0, seed=3)
    said = StoppingDecoder(encoder, num_iter=ldpc.ITERATIONS)(llr_BN)
    assert np.array_equal(said.numpy(), bits_BK)
    assert 0 < len(iterations) <= 4
