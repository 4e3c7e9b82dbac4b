"""The index map on the air: what it costs, and how it is sent and read.

In the mode `genie` it crosses error-free, as bits, and is charged as QPSK at code rate 1/2: one bit a channel
use. In the mode `ldpc` it is coded (`side_code`), passes the channel behind pilots of its own, and can fail.
One channel use = one complex symbol; unit average transmit power.
"""

import zlib

import numpy as np

from shared.air import pilots, samples, side_code
from shared.air.models import pilot_uses
from shared.config import ChannelConfig
from shared.wire.messages import SideInfo, SymbolFrame

BITS_PER_USE = 1
_FRAME_ID = 2**30
"""Apart from those of frames: the noise on a map is its own."""


def side_uses(channel: ChannelConfig, snr_db: float, n_bits: int) -> int:
    """Channel uses charged for a map of `n_bits`, CRC included, for a user of an average SNR."""
    if n_bits < 0:
        raise ValueError(f"n_bits: expected >= 0, received {n_bits}")
    if channel.side_info == "genie":
        return -(-n_bits // BITS_PER_USE)
    return pilot_uses(channel) + side_code.uses_of(n_bits, snr_db)


def outlasts_channel(channel: ChannelConfig, uses: int) -> bool:
    """Whether the gain, which pilots tell of at a map's head, changes within most maps of so many uses.

    A map begins anywhere in a coherence block: one of half its length meets a single gain every other time.
    """
    learnt = channel.side_info == "ldpc" and pilot_uses(channel) > 0
    return learnt and channel.coherence == "uses" and 2 * uses > channel.coherence_uses


def on_air(channel: ChannelConfig, snr_db: float, payload: bytes, n_bits: int) -> dict[str, object]:
    """The fields of a `SideInfo` that carry a map: bits, or pilots and symbols of unit power."""
    uses = side_uses(channel, snr_db, n_bits)
    if channel.side_info == "genie":
        return {"uses": uses, "energy": float(uses), "payload": payload}
    preamble = pilots.pilot_sequence(pilot_uses(channel))
    signal = np.concatenate([preamble, side_code.encode(payload, n_bits, snr_db)]).astype(np.complex64)
    wire, full_scale = samples.to_wire(signal, channel.sample_format)
    return {
        "uses": uses,
        "energy": float(uses),
        "pilot_uses": len(preamble),
        "sample_format": channel.sample_format,
        "full_scale": full_scale,
        "payload": wire,
    }


def frame_of(side: SideInfo) -> SymbolFrame:
    """A map's samples as a frame of one token, for the air and the equaliser."""
    return SymbolFrame(
        stream="private",
        users=(side.user,),
        group_id=side.group_id,
        frame_id=_FRAME_ID + zlib.crc32(side.request_id.encode()) % _FRAME_ID,
        attempt=side.attempt,
        first_token=0,
        n_tokens=1,
        uses_per_token=max(1, side.uses - side.pilot_uses),
        pilot_uses=side.pilot_uses,
        first_use=side.first_use,
        uses=side.uses,
        energy=side.energy,
        sample_format=side.sample_format,
        full_scale=side.full_scale,
        genie_blocks=side.genie_blocks,
        payload=side.payload,
    )
