"""Channel decode, first half: received frames to equalised symbols with their noise level, token by token.

SNR is average received Es/N0 per channel use with unit average transmit power and E|h|^2 = 1;
N0 = 10^(-SNR/10), N0/2 per real dimension. Dividing by the gain h leaves noise of variance N0 / |h|^2.
"""

from dataclasses import dataclass

import numpy as np

from shared.air import samples
from shared.air.csi import channel_gain
from shared.air.equalise import equalise
from shared.air.snr import n0_of
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame


@dataclass(frozen=True, slots=True)
class Air:
    """What the UE knows of its channel: the model, how the gain is learnt, and the average SNR in dB.

    Where the SNR follows a trace, `user` says whose: a receiver measures its noise.
    """

    channel: ChannelConfig
    snr_db: float
    user: int = 0

    def n0_at(self, first_use: int) -> float:
        """N0 of what was sent at a channel use."""
        traced = bool(self.channel.snr_trace)
        snr_db = self.channel.snr_db_at(self.user, first_use) if traced else self.snr_db
        return n0_of(self.channel.model, snr_db)


@dataclass(frozen=True, slots=True)
class TokenSymbols:
    """Equalised symbols of one token, complex64 [uses_per_token], and their noise variances, float32."""

    symbols_U: np.ndarray
    noise_variance_U: np.ndarray


def equalise_frame(frame: SymbolFrame, air: Air) -> dict[int, TokenSymbols]:
    """Token symbols by place in the stream.

    Raises `ProtocolError` when the samples are not what the header says (size, NaN, infinity) or when
    there is nothing to learn the gain from.
    """
    shape_NU = (frame.n_tokens, frame.uses_per_token)
    if frame.uses != frame.pilot_uses + frame.n_tokens * frame.uses_per_token:
        raise ProtocolError("bad_samples", f"{frame.pilot_uses} pilots and {shape_NU}", f"{frame.uses} uses")
    symbols, noise = (part.reshape(shape_NU) for part in equalise_body(frame, air))
    return {
        frame.first_token + i: TokenSymbols(row_U, noise_U)
        for i, (row_U, noise_U) in enumerate(zip(symbols, noise, strict=True))
    }


def equalise_body(frame: SymbolFrame, air: Air) -> tuple[np.ndarray, np.ndarray]:
    """What follows a frame's pilots: symbols complex64 and their noise variances float32, both [U].

    Raises `ProtocolError` as `equalise_frame` does.
    """
    received = samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)
    n0 = air.n0_at(frame.first_use)
    gain, gain_error = channel_gain(frame, received, air.channel, n0)
    body = slice(frame.pilot_uses, None)
    errors = gain_error if isinstance(gain_error, float) else gain_error[body]
    if isinstance(gain, np.ndarray):
        symbols, noise = equalise(received[body], gain[body], n0, errors)
        return symbols, np.asarray(noise, np.float32)
    assert isinstance(errors, float)  # one gain has one error
    symbols, level = equalise(received[body], gain, n0, errors)
    return symbols, np.full(len(symbols), level, np.float32)
