"""The fields of a message that carries channel symbols: pilots in front, samples in the run's format, energy.

One channel use is one complex symbol; pilots have unit modulus.
"""

from typing import Any

import numpy as np

from shared.air import pilots, power, samples
from shared.air.models import pilot_uses
from shared.config import ChannelConfig


def carried(channel: ChannelConfig, body_U: np.ndarray) -> dict[str, Any]:
    """Of symbols complex64 [U], as they are to leave the antenna."""
    preamble = pilots.pilot_sequence(pilot_uses(channel))
    signal = np.concatenate([preamble, body_U]).astype(np.complex64)
    payload, full_scale = samples.to_wire(signal, channel.sample_format)
    return {
        "pilot_uses": len(preamble),
        "uses": len(signal),
        "energy": power.energy(signal),
        "sample_format": channel.sample_format,
        "full_scale": full_scale,
        "payload": payload,
    }
