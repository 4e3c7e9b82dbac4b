"""Channel code: planned frames to channel symbols of unit average power, pilots in front, as wire samples."""

from collections.abc import Callable

import numpy as np

from basestation.compare import Key
from basestation.partition import FramePlan
from shared.air import pilots, power, samples
from shared.air.models import profile_of
from shared.config import ChannelConfig
from shared.wire.messages import SymbolFrame

ChannelEncoder = Callable[[np.ndarray, str], np.ndarray]
"""(token vectors [n, D], stream) -> complex64 symbols [n, uses_per_token]."""


def pilot_uses(channel: ChannelConfig) -> int:
    """Pilots of a frame: none where the receiver knows the gain (no fading, or `genie`)."""
    return channel.pilot_uses if profile_of(channel).fades and channel.csi == "pilots" else 0


def code_frames(
    plans: tuple[FramePlan, ...],
    vectors: dict[Key, np.ndarray],
    group_id: int,
    channel: ChannelConfig,
    encode: ChannelEncoder,
) -> tuple[SymbolFrame, ...]:
    """First transmissions of all frames of a group; the transmitter fills in `first_use`.

    The codec gives every token unit average power per channel use and pilots have unit modulus, so the
    energy of a frame, sum |x|^2, equals its channel uses (design, section 4).
    """
    preamble = pilots.pilot_sequence(pilot_uses(channel))
    symbols = _encode_streams(plans, vectors, encode)
    frames = []
    for plan in plans:
        body_NU = np.stack([symbols[plan.stream, name] for name in plan.tokens])
        signal = np.concatenate([preamble, body_NU.reshape(-1)]).astype(np.complex64)
        payload, full_scale = samples.to_wire(signal, channel.sample_format)
        frames.append(
            SymbolFrame(
                stream=plan.stream,
                users=plan.users,
                group_id=group_id,
                frame_id=plan.frame_id,
                attempt=0,
                first_token=plan.first_token,
                n_tokens=len(plan.tokens),
                uses_per_token=body_NU.shape[1],
                pilot_uses=len(preamble),
                first_use=0,
                uses=len(signal),
                energy=power.energy(signal),
                sample_format=channel.sample_format,
                full_scale=full_scale,
                payload=payload,
            )
        )
    return tuple(frames)


def _encode_streams(
    plans: tuple[FramePlan, ...], vectors: dict[Key, np.ndarray], encode: ChannelEncoder
) -> dict[tuple[str, Key], np.ndarray]:
    """Symbols of every token, one call of the encoder a stream."""
    symbols: dict[tuple[str, Key], np.ndarray] = {}
    for stream in ("public", "private"):
        names = list(dict.fromkeys(n for plan in plans if plan.stream == stream for n in plan.tokens))
        if names:
            coded_NU = encode(np.stack([vectors[n] for n in names]), stream)
            symbols.update({(stream, name): row for name, row in zip(names, coded_NU, strict=True)})
    return symbols
