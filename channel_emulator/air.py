"""The air between the base station's antenna and one user's: a transmitted frame to a received one.

Unit average transmit power; E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB;
N0 = 10^(-SNR/10), N0/2 per real dimension. Everything here is a pure function of the seed, the receiver and
the frame's header and samples: arrival times and other users change nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.fading import fading_of
from channel_emulator.physics.interference import add_interference
from channel_emulator.physics.noise import noise_generator, transmit
from channel_emulator.physics.realisation import Realisation
from shared.air.samples import from_wire, to_wire
from shared.air.side_info import frame_of
from shared.air.snr import n0_of
from shared.config import RunConfig
from shared.wire.errors import LocalProtocolError, ProtocolError
from shared.wire.fields import MAX_LIST
from shared.wire.messages import SideInfo, SymbolFrame


@dataclass(frozen=True, slots=True)
class Transmission:
    """A frame and its samples complex64 [uses], read once for all of its receivers."""

    frame: SymbolFrame
    samples: NDArray[np.complex64]


def open_frame(frame: SymbolFrame) -> Transmission:
    """Read a frame's samples. Raises `ProtocolError` (bad_samples) when they are not what its header says."""
    expected = frame.pilot_uses + frame.n_tokens * frame.uses_per_token
    if frame.uses != expected and not frame.quantiser_bits:  # how many coded bits have, their receiver knows
        raise ProtocolError("bad_samples", f"{expected} uses", f"{frame.uses} uses")
    return Transmission(frame, from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses))


class Air:
    """All downlinks of a run."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._genie = config.channel.csi == "genie"
        self._fading = fading_of(config.channel, config.seed)

    def receive(self, sent: Transmission, user: int) -> SymbolFrame:
        """What `user` receives of `sent`: its own fading and noise, in the frame's sample format.

        `energy` stays what was transmitted. An ideal channel hands the payload on bit for bit. Raises
        `ProtocolError`: 'bad_samples' when amplitudes leave the format's range, 'genie_blocks' when the
        genie would have to name more blocks than a message can hold.
        """
        frame, channel = sent.frame, self._config.channel
        if channel.model == "ideal":
            return replace(frame, users=(user,))
        realisation = self._fading.realise(user, frame.group_id, frame.first_use, frame.uses)
        blocks = self._genie_says(realisation)
        n0 = n0_of(channel.model, channel.snr_db_at(user, frame.first_use))
        source = noise_generator(self._config.seed, user, frame.group_id, frame.frame_id, frame.attempt)
        received = transmit(sent.samples, realisation, n0, source)
        add_interference(received, channel.interference, self._config.seed, user, frame.first_use)
        try:
            payload, full_scale = to_wire(received, frame.sample_format)
        except LocalProtocolError as error:
            raise ProtocolError("bad_samples", "amplitudes that survive the air", str(error)) from None
        return replace(
            frame,
            users=(user,),
            genie_blocks=blocks,
            full_scale=full_scale,
            payload=payload,
        )

    def receive_side(self, side: SideInfo) -> SideInfo:
        """The same for side information, where it is coded; else it is handed on as it is."""
        if self._config.channel.side_info == "genie":
            return side
        heard = self.receive(open_frame(frame_of(side)), side.user)
        return replace(
            side, payload=heard.payload, full_scale=heard.full_scale, genie_blocks=heard.genie_blocks
        )

    def _genie_says(self, realisation: Realisation) -> tuple[tuple[int, tuple[float, ...]], ...]:
        """`genie_blocks` of a frame that meets `realisation`."""
        if not self._genie:
            return ()
        if realisation.taps_BL.size > MAX_LIST:
            raise ProtocolError("genie_blocks", f"at most {MAX_LIST} taps", str(realisation.taps_BL.size))
        blocks = zip(realisation.lengths.tolist(), realisation.taps_BL, strict=True)
        return tuple((uses, tuple(taps.view(np.float32).tolist())) for uses, taps in blocks)
