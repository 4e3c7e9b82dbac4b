"""A few received symbols of a request, before and after equalisation: for people to look at, in the journal.

SNR is average received Es/N0 per channel use in dB; N0 = 10^(-SNR/10), N0/2 per real dimension; unit average
transmit power.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.air import samples
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, equalise_body

_DIGITS = 2
Point = tuple[float, float]
"""In phase, quadrature."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Of one frame. `received` and `equalised` are the same symbols.

    `snr_db`: the average of the receiver's channel then; `received_db`: what this frame was received with,
    fading and estimation error included. None without noise.
    """

    snr_db: float | None
    received_db: float | None
    received: tuple[Point, ...]
    equalised: tuple[Point, ...]


def glimpse(frames: Mapping[int, Sequence[SymbolFrame]], air: Air, most: int) -> Glimpse | None:
    """At most `most` symbols, evenly spaced, of the first frame that can be read; None where none can."""
    for frame_id in sorted(frames) if most else ():
        frame = frames[frame_id][-1]
        try:
            received_U = samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)[
                frame.pilot_uses :
            ]
            equalised_U, noise_U = equalise_body(frame, air)
        except ProtocolError:
            continue  # lost, as the pipeline has counted
        if not received_U.size:
            continue
        places = np.unique(np.linspace(0, received_U.size - 1, min(most, received_U.size)).astype(int))
        return Glimpse(
            _db(air.n0_at(frame.first_use)),
            _db(float(np.mean(noise_U))),
            _points(received_U[places]),
            _points(equalised_U[places]),
        )
    return None


def _db(noise: float) -> float | None:
    return round(-10.0 * math.log10(noise), _DIGITS) if noise > 0.0 else None


def _points(symbols_U: NDArray[np.complex64]) -> tuple[Point, ...]:
    return tuple((round(float(s.real), _DIGITS), round(float(s.imag), _DIGITS)) for s in symbols_U)
