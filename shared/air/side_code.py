"""Side information as channel symbols: blocks of bits through 5G LDPC and QPSK, as robust as the SNR asks.

Both ends know a user's average SNR, and so the scheme: code rate and repetition, chosen for a block error
rate of at most 1e-3 on AWGN at that SNR (measured for the shortest block, which is the weakest, plus 0.5 dB).
The block's length follows from the number of channel uses. One channel use is one complex symbol of unit
power; SNR is average received Es/N0; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: B blocks, K information bits of a block, N coded bits of a block, U channel uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from shared.air import ldpc

BLOCK_BITS: Final = (64, 96, 128, 192, 256, 384, 512, 768, 1_024)
"""A longer message is cut into blocks of the last."""
MAX_BLOCKS: Final = 512
LLR_LIMIT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Scheme:
    """`least_snr_db`: where it may be used."""

    rate: Fraction
    repetitions: int
    least_snr_db: float

    def coded_bits(self, information_bits: int) -> int:
        """An even number, for whole QPSK symbols."""
        exact = Fraction(information_bits) / self.rate
        return 2 * -(-exact.numerator // (2 * exact.denominator))

    def uses(self, information_bits: int) -> int:
        """Of one block."""
        return self.repetitions * self.coded_bits(information_bits) // 2


SCHEMES: Final = (
    Scheme(Fraction(2, 3), 1, 6.5),
    Scheme(Fraction(1, 2), 1, 4.5),
    Scheme(Fraction(1, 3), 1, 2.5),
    Scheme(Fraction(1, 5), 1, -0.5),
    Scheme(Fraction(1, 5), 2, -3.5),
    Scheme(Fraction(1, 5), 4, -6.5),
    Scheme(Fraction(1, 5), 8, -9.5),
)
"""The shortest first. Below the last one's SNR it is used all the same, and fails more often."""


def scheme_at(snr_db: float) -> Scheme:
    """The shortest that an average SNR allows."""
    return next((scheme for scheme in SCHEMES if snr_db >= scheme.least_snr_db), SCHEMES[-1])


def blocks_of(n_bits: int) -> tuple[int, int]:
    """How many blocks, of how many information bits, a message needs. Raises ValueError."""
    for information_bits in BLOCK_BITS:
        if n_bits <= information_bits:
            return 1, information_bits
    blocks = -(-n_bits // BLOCK_BITS[-1])
    if blocks > MAX_BLOCKS:
        raise ValueError(f"{n_bits} bits: expected at most {MAX_BLOCKS * BLOCK_BITS[-1]}")
    return blocks, BLOCK_BITS[-1]


def uses_of(n_bits: int, snr_db: float) -> int:
    """Channel uses of a message. Raises ValueError for one that is too long."""
    blocks, information_bits = blocks_of(n_bits)
    return blocks * scheme_at(snr_db).uses(information_bits)


def encode(payload: bytes, n_bits: int, snr_db: float) -> np.ndarray:
    """Symbols complex64 [U] of the first `n_bits` of a payload, zeros after them."""
    blocks, information_bits = blocks_of(n_bits)
    scheme = scheme_at(snr_db)
    bits = np.zeros(blocks * information_bits, np.uint8)
    bits[:n_bits] = np.unpackbits(np.frombuffer(payload, np.uint8))[:n_bits]
    coded_BN = ldpc.encode(bits.reshape(blocks, information_bits), scheme.coded_bits(information_bits))
    symbols: np.ndarray = np.tile(ldpc.qpsk(coded_BN), (1, scheme.repetitions)).reshape(-1)
    return symbols


def decode(copies: Sequence[tuple[np.ndarray, np.ndarray]], snr_db: float) -> bytes:
    """What was most likely sent, zeros after it; right or wrong, as its CRC will say.

    Each copy has equalised symbols [U], and N0 after equalisation of each. Raises ValueError for a number of
    uses that no message has.
    """
    scheme = scheme_at(snr_db)
    blocks, information_bits = _blocks_in(len(copies[0][0]), scheme)
    of_copies = sum(ldpc.qpsk_llr(symbols_U, noise_U) for symbols_U, noise_U in copies)
    llr = np.asarray(of_copies).reshape(blocks, scheme.repetitions, -1).sum(1)
    bits_BK = ldpc.decode(np.clip(llr, -LLR_LIMIT, LLR_LIMIT), information_bits)
    return np.packbits(bits_BK.reshape(-1)).tobytes()


def _blocks_in(uses: int, scheme: Scheme) -> tuple[int, int]:
    for information_bits in BLOCK_BITS:
        if uses == scheme.uses(information_bits):
            return 1, information_bits
    blocks, rest = divmod(uses, scheme.uses(BLOCK_BITS[-1]))
    if rest or not 1 < blocks <= MAX_BLOCKS:
        raise ValueError(f"{uses} channel uses: no side information has so many at rate {scheme.rate}")
    return blocks, BLOCK_BITS[-1]
