"""What a receiver knows of its channel gain: from the genie or from pilots.

The convention: one channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is
average received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

import numpy as np
from numpy.typing import NDArray

from shared.air.gain_law import GainLaw
from shared.air.pilots import estimate_lmmse, estimate_ls, ls_error_variance, pilot_sequence
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame


def channel_gain(
    frame: SymbolFrame,
    received: NDArray[np.complex64],
    law: GainLaw,
    csi: str,
    n0: float,
    estimator: str = "ls",
) -> tuple[complex | NDArray[np.complex64], float]:
    """Gain of a received frame and the variance of its error, both as `equalise` takes them.

    `received` [uses] are all samples of the frame, pilots first. The gain is one complex number, or [uses]
    when the genie names several fading blocks; the receiver cuts the pilots' part off. `law` is what the
    receiver knows of the gain beforehand; only the estimator 'lmmse' uses more of it than whether there is
    fading. The error variance is 0 without fading or with the genie; N0 = 10^(-SNR/10), N0/2 per real
    dimension. Raises `ProtocolError` ('no_pilots', 'bad_gain') when the frame does not say enough.
    """
    if not law.fades:
        return 1.0 + 0.0j, 0.0
    if csi == "genie":
        return _genie_gain(frame), 0.0
    n = frame.pilot_uses
    if not 0 < n <= received.size:
        raise ProtocolError("no_pilots", "pilots in a frame over a fading channel", f"{n} pilots")
    estimate, error_variance = estimate_ls(received[:n], pilot_sequence(n)), ls_error_variance(n0, n)
    if estimator == "lmmse":
        return estimate_lmmse(estimate, error_variance, law)
    return estimate, error_variance


def _genie_gain(frame: SymbolFrame) -> complex | NDArray[np.complex64]:
    if frame.genie_gain is not None:
        return complex(*frame.genie_gain)
    lengths = [uses for uses, _, _ in frame.genie_blocks]
    if sum(lengths) != frame.uses or not lengths:
        raise ProtocolError("bad_gain", f"genie gains for {frame.uses} uses", f"for {sum(lengths)} uses")
    gains = np.array([complex(re, im) for _, re, im in frame.genie_blocks], dtype=np.complex64)
    return np.repeat(gains, lengths)
