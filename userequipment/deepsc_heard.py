"""What was heard, as DeepSC's channel decoders take it."""

import numpy as np
from torch import Tensor

from shared.deepsc.channel import least_squares
from shared.semantic.codec import from_symbols
from userequipment.symbol_pipeline import Heard


def as_reals(heard: Heard, device: str, uses: int | None = None) -> Tensor:
    """Estimates [1, N, R]; channel uses up to `uses` that were never sent are zeros."""
    symbols_NU = least_squares(heard.symbols_NU, heard.noise_variance_NU)
    never = 0 if uses is None else uses - symbols_NU.shape[1]
    return from_symbols(np.pad(symbols_NU, ((0, 0), (0, never))))[None].to(device)


def silence(tokens: int, uses: int) -> Heard:
    """A part that nobody sent."""
    shape = tokens, uses
    return Heard(np.zeros(shape, np.complex64), np.full(shape, np.inf, np.float32), tokens)
