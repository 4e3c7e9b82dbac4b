"""Bits over the air: 5G LDPC (3GPP TS 38.212, by Sionna) and QPSK (TS 38.211, clause 5.1.3).

One channel use is one complex symbol of unit power, two coded bits; SNR is Es/N0; N0 = 10^(-SNR/10), N0/2 per
real dimension.

Shapes: B blocks, K information bits of a block, N coded bits of a block, U channel uses.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np

ITERATIONS: Final = 20
_CACHED: Final = 64
_A: Final = np.float32(0.5**0.5)


@lru_cache(_CACHED)
def _coder(information_bits: int, coded_bits: int) -> tuple[Any, Any]:
    """Sionna's encoder and decoder of one code; its import takes seconds, so only who codes pays for it."""
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    from shared.air.stopping_decoder import StoppingDecoder

    encoder = LDPC5GEncoder(information_bits, coded_bits, device="cpu")
    decoder = StoppingDecoder(encoder, num_iter=ITERATIONS, hard_out=True)
    return encoder, decoder


def encode(bits_BK: np.ndarray, coded_bits: int) -> np.ndarray:
    """Code words [B, N] uint8 of information bits [B, K]."""
    import torch

    encoder, _ = _coder(bits_BK.shape[1], coded_bits)
    with torch.inference_mode():
        coded: np.ndarray = encoder(torch.from_numpy(bits_BK.astype(np.float32))).numpy().astype(np.uint8)
    return coded


def decode(llr_BN: np.ndarray, information_bits: int) -> np.ndarray:
    """Information bits [B, K] uint8, by belief propagation, from log p(1) - log p(0) of coded bits [B, N]."""
    import torch

    _, decoder = _coder(information_bits, llr_BN.shape[1])
    with torch.inference_mode():
        said: np.ndarray = decoder(torch.from_numpy(llr_BN.astype(np.float32))).numpy().astype(np.uint8)
    return said


def qpsk(bits: np.ndarray) -> np.ndarray:
    """Symbols complex64 [..., U] of bits [..., 2 U]: even ones in phase, odd ones in quadrature; 0 is +."""
    level = _A * (1.0 - 2.0 * bits.astype(np.float32))
    symbols: np.ndarray = (level[..., 0::2] + 1j * level[..., 1::2]).astype(np.complex64)
    return symbols


def qpsk_llr(symbols: np.ndarray, noise_variance: np.ndarray) -> np.ndarray:
    """log p(1) - log p(0) of the bits [..., 2 U], from equalised symbols [..., U] and the noise of each."""
    scale = -4.0 * _A / np.maximum(noise_variance, np.float32(1e-12))
    pairs = np.stack([symbols.real * scale, symbols.imag * scale], -1)
    llr: np.ndarray = pairs.reshape(*symbols.shape[:-1], -1).astype(np.float32)
    return llr
