"""What a receiver knows of its channel gain: from the genie or from pilots.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.

Shapes: U uses of a frame, P of them pilots.
"""

import numpy as np
from numpy.typing import NDArray

from shared.air import selective
from shared.air.models import grid_of, profile_of
from shared.air.ofdm import block_gains
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
    profile = profile_of(channel)
    lengths = np.array([uses for uses, _ in frame.genie_blocks], np.int64)
    reals = {len(taps) for _, taps in frame.genie_blocks}
    expected = 2 * len(profile.powers)
    if lengths.sum() != frame.uses or reals != {expected}:
        raise ProtocolError(
            "bad_gain", f"{expected} reals for {frame.uses} uses", f"{sorted(reals)} for {lengths.sum()}"
        )
    taps_BL = np.array([taps for _, taps in frame.genie_blocks], np.float32).view(np.complex64)
    if profile.flat and len(taps_BL) == 1:
        return complex(taps_BL[0, 0])
    return block_gains(profile, grid_of(channel), taps_BL, lengths, frame.first_use)
