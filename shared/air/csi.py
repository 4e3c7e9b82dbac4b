"""What a receiver knows of its channel gain: from the genie or from pilots.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: U uses of a frame, P of them pilots.
"""

import numpy as np
from numpy.typing import NDArray

from shared.air import selective
from shared.air.models import grid_of, profile_of
from shared.air.ofdm import response
from shared.air.pilots import estimate_lmmse, estimate_ls, ls_error_variance, pilot_sequence
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame

Gain = complex | NDArray[np.complex64]
"""One number for a whole frame, or [U]."""


def channel_gain(
    frame: SymbolFrame, received: NDArray[np.complex64], channel: ChannelConfig, n0: float
) -> tuple[Gain, float | NDArray[np.float32]]:
    """Gain of a received frame and the variance of its error, both as `equalise` takes them.

    `received` [U] are all samples of the frame, pilots first. The gain is one complex number, or [U] where
    uses differ: several taps, or several coherence blocks that the genie names; the receiver cuts the pilots'
    part off. Pilots are taken to meet one coherence block with the rest of their frame. The error variance is
    0 without fading or with the genie; N0 = 10^(-SNR/10), N0/2 per real dimension. Raises `ProtocolError`
    ('no_pilots', 'bad_gain') when the frame does not say enough.
    """
    profile, grid = profile_of(channel), grid_of(channel)
    if not profile.fades:
        return 1.0 + 0.0j, 0.0
    if channel.csi == "genie":
        return _genie_gain(frame, channel), 0.0
    n = frame.pilot_uses
    if not 0 < n <= received.size:
        raise ProtocolError("no_pilots", "pilots in a frame over a fading channel", f"{n} pilots")
    pilots = pilot_sequence(n)
    if profile.flat:
        estimate, error_variance = estimate_ls(received[:n], pilots), ls_error_variance(n0, n)
        if channel.estimator == "lmmse":
            return estimate_lmmse(estimate, error_variance, profile)
        return estimate, error_variance
    places = grid.places(frame.first_use, received.size)
    heard = received[:n] * pilots.conj()
    if channel.estimator == "lmmse":
        return selective.estimate_lmmse(heard, places, profile, grid, n0)
    return selective.estimate_ls(heard, places, n0)


def _genie_gain(frame: SymbolFrame, channel: ChannelConfig) -> Gain:
    profile, grid = profile_of(channel), grid_of(channel)
    lengths = [uses for uses, _ in frame.genie_blocks]
    taps = [np.array(reals, np.float32).view(np.complex64) for _, reals in frame.genie_blocks]
    expected = len(profile.powers)
    if sum(lengths) != frame.uses or not lengths or any(t.size != expected for t in taps):
        raise ProtocolError(
            "bad_gain", f"{expected} taps for {frame.uses} uses", f"{sum(lengths)} uses, {len(taps)} blocks"
        )
    if profile.flat:
        return complex(taps[0][0]) if len(taps) == 1 else np.repeat(np.concatenate(taps), lengths)
    places = np.split(grid.places(frame.first_use, frame.uses), np.cumsum(lengths)[:-1])
    return np.concatenate([response(profile, grid, t, p) for t, p in zip(taps, places, strict=True)])
