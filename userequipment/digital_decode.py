"""Digital frames: the copies of one to bits, and the bits whose blocks are right to token symbols.

What a token's symbols then err by is the quantiser's, not the channel's. SNR is average received Es/N0 per
channel use with unit average transmit power.

Shapes: N tokens, U channel uses of a token before quantisation, b bits of a real value.
"""

from collections.abc import Sequence

import numpy as np

from shared.air import quantise, transport
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols, equalise_body


def decode_copies(copies: Sequence[SymbolFrame], air: Air) -> dict[int, TokenSymbols]:
    """By place in the stream, the tokens that arrived; those of failed blocks are absent.

    Raises `ProtocolError` where no copy can be read, or its channel uses are those of no scheme.
    """
    first = copies[0]
    bits = first.quantiser_bits
    n_bits = first.n_tokens * quantise.bits_per_token(first.uses_per_token, bits)
    mcs = mcs_of(first, n_bits)
    bits_n, good_n = transport.decode(readable(copies, air), n_bits, mcs)
    symbols_NU = quantise.from_bits(bits_n.reshape(first.n_tokens, -1), bits)
    noise_U = np.full(first.uses_per_token, quantise.error_variance(bits), np.float32)
    right_N = np.all(good_n.reshape(first.n_tokens, -1), axis=1)
    places = (first.first_token + int(i) for i in np.flatnonzero(right_N))
    return {place: TokenSymbols(symbols_NU[place - first.first_token], noise_U) for place in places}


def mcs_of(frame: SymbolFrame, n_bits: int) -> transport.Mcs:
    """The scheme of a frame with so many bits. Raises `ProtocolError` for channel uses of none."""
    try:
        return transport.mcs_of(n_bits, frame.uses - frame.pilot_uses)
    except ValueError as error:
        raise ProtocolError("bad_samples", "the channel uses of a scheme", str(error)) from None


def readable(copies: Sequence[SymbolFrame], air: Air) -> list[transport.Copy]:
    """Equalised copies of one payload in one scheme, that of the first. Raises `ProtocolError` for none."""
    read = [copy for frame in copies if (copy := _read(frame, copies[0], air)) is not None]
    if not read:
        raise ProtocolError("bad_samples", "a readable copy", f"{len(copies)} that are not")
    return read


def _read(frame: SymbolFrame, first: SymbolFrame, air: Air) -> transport.Copy | None:
    """None for a damaged copy, or one that is not of the same payload and scheme."""
    if (frame.uses, frame.quantiser_bits) != (first.uses, first.quantiser_bits):
        return None
    try:
        symbols_U, noise_U = equalise_body(frame, air)
    except ProtocolError:
        return None
    return transport.Copy(frame.attempt, symbols_U, noise_U)
