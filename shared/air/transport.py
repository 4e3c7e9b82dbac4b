"""Bits as channel symbols: blocks with a CRC through 5G LDPC and QAM, copies of them combined (HARQ).

3GPP TS 38.212, by Sionna: CRC-24A (5.1), LDPC (5.3.2), rate matching from a circular buffer that every
attempt reads from another place (redundancy versions, 5.4.2.1); QAM as in TS 38.211 (5.1). Modulation and
code rate are rows of TS 38.214, table 5.1.3.1-1. One channel use is one complex symbol of unit average power;
SNR is average received Es/N0; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: n payload bits, B blocks, P payload bits of a block, K bits of it with its CRC, N coded ones,
U channel uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

CRC: Final = "CRC24A"
CRC_BITS: Final = 24
MAX_BLOCK_BITS: Final = 3_840
"""K of the smaller base graph (5.2.2)."""
VERSIONS: Final = (0, 2, 3, 1)
"""Of redundancy, in the order of attempts."""
ITERATIONS: Final = 20
LLR_LIMIT: Final = 20.0
_CACHED: Final = 64


@dataclass(frozen=True, slots=True)
class Mcs:
    """Bits of a symbol, code rate times 1,024, and the SNR from which a block fails in at most 1% on AWGN."""

    bits_per_symbol: int
    rate_1024: int
    least_snr_db: float

    @property
    def bits_per_use(self) -> float:
        return self.bits_per_symbol * self.rate_1024 / 1_024

    def coded_bits(self, block_bits: int) -> int:
        """N of a block, whole symbols."""
        symbols = -(-block_bits * 1_024 // (self.rate_1024 * self.bits_per_symbol))
        return symbols * self.bits_per_symbol


TABLE: Final = (
    Mcs(2, 251, -2.0),
    Mcs(2, 308, -1.0),
    Mcs(2, 449, 1.0),
    Mcs(2, 602, 3.0),
    Mcs(4, 378, 5.0),
    Mcs(4, 490, 6.5),
    Mcs(4, 616, 8.5),
    Mcs(6, 466, 10.5),
    Mcs(6, 567, 12.5),
    Mcs(6, 666, 14.5),
    Mcs(6, 772, 16.5),
    Mcs(6, 873, 18.5),
)
"""The most robust first. The SNRs were measured for blocks of 1,024 bits, 300 of each, in steps of 0.5 dB."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One attempt's symbols [U] after equalisation, and the noise variance of each."""

    attempt: int
    symbols_U: np.ndarray
    noise_variance_U: np.ndarray


def mcs_at(snr_db: float) -> Mcs:
    """The fastest that an average SNR allows; below all of them the most robust."""
    return next((mcs for mcs in reversed(TABLE) if snr_db >= mcs.least_snr_db), TABLE[0])


def blocks_of(n_bits: int) -> tuple[int, int]:
    """How many blocks a payload is cut into, and K of each. Raises ValueError for no bits."""
    if n_bits < 1:
        raise ValueError(f"n_bits: expected >= 1, received {n_bits}")
    blocks = -(-n_bits // (MAX_BLOCK_BITS - CRC_BITS))
    return blocks, -(-n_bits // blocks) + CRC_BITS


def uses_of(n_bits: int, mcs: Mcs) -> int:
    """Channel uses of one attempt at a payload."""
    blocks, block_bits = blocks_of(n_bits)
    return blocks * mcs.coded_bits(block_bits) // mcs.bits_per_symbol


def mcs_of(n_bits: int, uses: int) -> Mcs:
    """By how many channel uses a payload has a receiver knows the scheme. Raises ValueError."""
    found = next((mcs for mcs in TABLE if uses_of(n_bits, mcs) == uses), None)
    if found is None:
        raise ValueError(f"{uses} channel uses: no scheme has so many for {n_bits} bits")
    return found


def encode(bits_n: np.ndarray, mcs: Mcs, attempt: int = 0) -> np.ndarray:
    """Symbols complex64 [U] of a payload (uint8, 0 or 1), of unit average power."""
    blocks, block_bits = blocks_of(len(bits_n))
    padded = np.zeros(blocks * (block_bits - CRC_BITS), np.float32)
    padded[: len(bits_n)] = bits_n
    return encode_blocks(padded.reshape(blocks, -1), mcs, attempt).reshape(-1)


def encode_blocks(bits_BP: np.ndarray, mcs: Mcs, attempt: int = 0) -> np.ndarray:
    """Symbols complex64 [B, U] of blocks of P payload bits each."""
    import torch

    blocks, payload_bits = bits_BP.shape
    coder = _coder(payload_bits + CRC_BITS, mcs)
    with torch.inference_mode():
        with_crc_BK = coder.add_crc(torch.from_numpy(bits_BP.astype(np.float32)))
        coded_BN = coder.encode(with_crc_BK, rv=[VERSIONS[attempt % len(VERSIONS)]]).reshape(blocks, -1)
        symbols: np.ndarray = coder.modulate(coded_BN).numpy().reshape(blocks, -1).astype(np.complex64)
    return symbols


def decode(copies: Sequence[Copy], n_bits: int, mcs: Mcs) -> tuple[np.ndarray, np.ndarray]:
    """The payload's bits, uint8 [n], and which of them lie in blocks whose CRC holds, bool [n].

    All copies are of the same payload and scheme; their log-likelihood ratios add up where they repeat a bit.
    """
    blocks, block_bits = blocks_of(n_bits)
    bits_BP, good_B = decode_blocks(copies, blocks, block_bits - CRC_BITS, mcs)
    good = np.repeat(good_B, block_bits - CRC_BITS)
    return bits_BP.reshape(-1)[:n_bits], good[:n_bits]


def decode_blocks(
    copies: Sequence[Copy], blocks: int, payload_bits: int, mcs: Mcs
) -> tuple[np.ndarray, np.ndarray]:
    """Payload bits uint8 [B, P] of so many blocks, and whether each one's CRC holds, bool [B]."""
    import torch

    coder = _coder(payload_bits + CRC_BITS, mcs)
    with torch.inference_mode():
        llr_CBN = torch.stack([_llr(coder, copy, blocks) for copy in copies])
        versions = [VERSIONS[copy.attempt % len(VERSIONS)] for copy in copies]
        if versions == [0]:
            said_BK = coder.decode(llr_CBN[0])
        else:
            said_BK = coder.decode_copies(llr_CBN.transpose(0, 1).contiguous(), rv=versions)
        payload, holds_B1 = coder.check_crc(said_BK)
    return payload.numpy().astype(np.uint8), holds_B1.numpy().reshape(-1).astype(bool)


def _llr(coder: "_Coder", copy: Copy, blocks: int) -> Any:
    """log p(1) - log p(0) of a copy's coded bits, [B, N]."""
    import torch

    symbols = torch.from_numpy(np.ascontiguousarray(copy.symbols_U, np.complex64))
    noise = torch.from_numpy(np.maximum(copy.noise_variance_U, 1e-9).astype(np.float32))
    return coder.demodulate(symbols, noise).clamp(-LLR_LIMIT, LLR_LIMIT).reshape(blocks, -1)


@dataclass(frozen=True, slots=True)
class _Coder:
    """Sionna's blocks for one length and scheme."""

    add_crc: Any
    check_crc: Any
    encode: Any
    decode: Any
    decode_copies: Any
    modulate: Any
    demodulate: Any


@lru_cache(_CACHED)
def _coder(block_bits: int, mcs: Mcs) -> _Coder:
    """The library's import takes seconds, so only who codes pays for it."""
    from sionna.phy.fec.crc import CRCDecoder, CRCEncoder
    from sionna.phy.fec.ldpc import LDPC5GEncoder
    from sionna.phy.mapping import Demapper, Mapper

    from shared.air.stopping_decoder import StoppingDecoder

    m = mcs.bits_per_symbol
    crc = CRCEncoder(CRC, k=block_bits - CRC_BITS, device="cpu")
    encoder = LDPC5GEncoder(block_bits, mcs.coded_bits(block_bits), num_bits_per_symbol=m, device="cpu")
    once, again = (
        StoppingDecoder(encoder, num_iter=ITERATIONS, hard_out=True, harq_mode=harq) for harq in (False, True)
    )
    return _Coder(
        crc,
        CRCDecoder(crc),
        encoder,
        once,
        again,
        Mapper("qam", m, device="cpu"),
        Demapper("app", "qam", m, device="cpu"),
    )
