"""HARQ for analog symbols: copies of one frame combined, each weighed by how well it was received.

Maximum-ratio combining: dividing each copy by its gain leaves noise of variance v; the sum with weights 1/v
has the least variance, 1 / sum(1/v), so post-equaliser SNRs add up (Brennan 1959). SNR is average received
Es/N0 per channel use; unit average transmit power.

Shapes: U channel uses of a token.
"""

import math
from collections.abc import Sequence

import numpy as np

from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols, equalise_frame
from userequipment.digital_decode import decode_copies

TokensOfFrame = dict[int, TokenSymbols]
"""By place in the stream."""


def equalise_copies(copies: Sequence[SymbolFrame], air: Air) -> TokensOfFrame:
    """Token symbols of one frame from all its copies; one that cannot be read does not count.

    Raises `ProtocolError` where none can be read.
    """
    if copies[0].quantiser_bits:
        return decode_copies(copies, air)
    readable: list[TokensOfFrame] = []
    for copy in copies:
        try:
            readable.append(equalise_frame(copy, air))
        except ProtocolError:
            if len(copies) == 1:
                raise
    if not readable:
        raise ProtocolError("bad_samples", "a readable copy", f"{len(copies)} that are not")
    if len(readable) == 1:
        return readable[0]
    return {place: combined([tokens[place] for tokens in readable]) for place in readable[0]}


def combined(copies: Sequence[TokenSymbols]) -> TokenSymbols:
    """One token from several receptions. One without noise is taken as it is."""
    for copy in copies:
        if not np.all(copy.noise_variance_U > 0.0):
            return copy
    weight_CU = np.stack([1.0 / copy.noise_variance_U.astype(np.float64) for copy in copies])
    symbols_CU = np.stack([copy.symbols_U for copy in copies])
    total_U = weight_CU.sum(0)
    symbols_U = (weight_CU * symbols_CU).sum(0) / total_U
    return TokenSymbols(symbols_U.astype(np.complex64), (1.0 / total_U).astype(np.float32))


def combined_snr_db(copies: Sequence[SymbolFrame], air: Air) -> float:
    """Average post-equaliser SNR of a frame in dB; -inf where no copy can be read, +inf without noise.

    Of a digital frame: +inf where all its blocks are right, else -inf.
    """
    try:
        tokens = equalise_copies(copies, air)
    except ProtocolError:
        return -math.inf
    if copies[0].quantiser_bits:
        return math.inf if len(tokens) == copies[0].n_tokens else -math.inf
    level = float(np.mean(np.concatenate([token.noise_variance_U for token in tokens.values()])))
    return -10.0 * math.log10(level) if level > 0.0 else math.inf
