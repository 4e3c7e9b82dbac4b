"""Symbols as bits: each real part through the uniform quantiser that errs least on Gaussian values.

Step sizes and mean squared errors for unit variance: Max, Quantizing for minimum distortion, IRE Trans.
Inf. Theory 1960, table II (2^b levels). A symbol of unit average power has real parts of variance 1/2, so its
mean squared error is the table's.

Shapes: N tokens, U channel uses of a token, b bits of a real value.
"""

from typing import Final

import numpy as np

#: b -> (step, mean squared error).
MAX_UNIFORM: Final = {
    1: (1.596, 0.3634),
    2: (0.9957, 0.1188),
    3: (0.5860, 0.03744),
    4: (0.3352, 0.01154),
    5: (0.1881, 0.003495),
}
_DEVIATION: Final = 0.5**0.5


def bits_per_token(uses: int, bits: int) -> int:
    """Of a token with so many channel uses, two real values each."""
    return 2 * uses * bits


def error_variance(bits: int) -> float:
    """Mean squared error of a complex symbol."""
    return MAX_UNIFORM[bits][1]


def to_bits(symbols_NU: np.ndarray, bits: int) -> np.ndarray:
    """uint8 [N, 2 U b] of complex symbols [N, U]: real before imaginary, most significant bit first."""
    reals = np.ascontiguousarray(symbols_NU, np.complex64).view(np.float32)
    step = MAX_UNIFORM[bits][0] * _DEVIATION
    levels = 2**bits
    index = np.clip(np.floor(reals / step) + levels // 2, 0, levels - 1).astype(np.uint8)
    weights = np.arange(bits - 1, -1, -1, dtype=np.uint8)
    spread: np.ndarray = (index[..., None] >> weights) & 1
    return spread.reshape(len(symbols_NU), -1)


def from_bits(bits_Nn: np.ndarray, bits: int) -> np.ndarray:
    """Complex64 symbols [N, U] of what `to_bits` gave."""
    step = MAX_UNIFORM[bits][0] * _DEVIATION
    weights = 2 ** np.arange(bits - 1, -1, -1)
    index = (bits_Nn.reshape(len(bits_Nn), -1, bits) * weights).sum(-1)
    reals = ((index - 2 ** (bits - 1) + 0.5) * step).astype(np.float32)
    symbols: np.ndarray = np.ascontiguousarray(reals).view(np.complex64)
    return symbols
