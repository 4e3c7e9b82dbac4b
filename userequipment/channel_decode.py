"""Channel decode, first half: received frames to equalised symbols with their noise level, token by token.

SNR is average received Es/N0 per channel use with unit average transmit power and E|h|^2 = 1;
N0 = 10^(-SNR/10), N0/2 per real dimension. After dividing by the gain h the noise variance is N0 / |h|^2.
"""

from dataclasses import dataclass

import numpy as np

from shared.air import pilots, samples
from shared.air.equalise import equalise
from shared.air.snr import n0_from_snr_db
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame


@dataclass(frozen=True, slots=True)
class Air:
    """What the UE knows of its channel beforehand: the model, the CSI mode, and the average SNR in dB."""

    channel_model: str
    csi: str
    snr_db: float

    @property
    def n0(self) -> float:
        return 0.0 if self.channel_model == "ideal" else n0_from_snr_db(self.snr_db)


@dataclass(frozen=True, slots=True)
class TokenSymbols:
    """Equalised symbols of one token, complex64 [uses_per_token], and their mean noise variance."""

    symbols_U: np.ndarray
    noise_variance: float


def equalise_frame(frame: SymbolFrame, air: Air) -> dict[int, TokenSymbols]:
    """Token symbols by place in the stream.

    Raises `ProtocolError` when the samples are not what the header says (size, NaN, infinity).
    """
    received = samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)
    if frame.uses != frame.pilot_uses + frame.n_tokens * frame.uses_per_token:
        raise ProtocolError(
            "bad_samples", f"{frame.pilot_uses} pilots and {frame.n_tokens} tokens", f"{frame.uses} uses"
        )
    gain = _gain(frame, received, air)
    symbols, noise_variance = equalise(received[frame.pilot_uses :], gain, air.n0)
    return {
        frame.first_token + i: TokenSymbols(row_U, float(noise_variance))
        for i, row_U in enumerate(symbols.reshape(frame.n_tokens, frame.uses_per_token))
    }


def _gain(frame: SymbolFrame, received: np.ndarray, air: Air) -> complex:
    if air.channel_model != "rayleigh":
        return 1.0 + 0.0j
    if air.csi == "genie" and frame.genie_gain is not None:
        return complex(*frame.genie_gain)
    if frame.pilot_uses == 0:
        raise ProtocolError("no_pilots", "pilots in a frame over a fading channel", "none")
    return pilots.estimate_ls(received[: frame.pilot_uses], pilots.pilot_sequence(frame.pilot_uses))
