"""The air between the base station's antenna and one user's: a transmitted frame to a received one.

Unit average transmit power; E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB;
N0 = 10^(-SNR/10), N0/2 per real dimension. Everything here is a pure function of the seed, the receiver and
the frame's header and samples: arrival times and other users change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.air_change import AirChange
from channel_emulator.physics.fading import fading_of
from channel_emulator.physics.interference import add_interference
from channel_emulator.physics.noise import noise_generator, transmit
from channel_emulator.physics.realisation import Realisation, spliced
from shared.air.samples import from_wire, to_wire
from shared.air.side_info import frame_of
from shared.air.snr import n0_of
from shared.config import RunConfig
from shared.wire.errors import LocalProtocolError, ProtocolError
from shared.wire.fields import MAX_LIST
from shared.wire.messages import SideInfo, SymbolFrame

ROOM_USES: Final = 65_536
"""Frames of up to so many channel uses are received in memory that is used again and again."""


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
        self._room = np.empty(ROOM_USES, np.complex64)

    def receive(self, sent: Transmission, user: int, changes: Sequence[AirChange] = ()) -> SymbolFrame:
        """What `user` receives of `sent`: its own fading and noise, in the frame's sample format.

        `changes`: what is wrong with the air for this reception. `energy` stays what was transmitted. An
        ideal channel hands the payload on bit for bit. Raises `ProtocolError`: 'bad_samples' when amplitudes
        leave the format's range, 'genie_blocks' when the genie would have to name more blocks than a message
        can hold.
        """
        frame, channel = sent.frame, self._config.channel
        if channel.model == "ideal":
            return frame.changed(users=(user,))
        met, known = self._realise(frame, user, changes)
        blocks = self._genie_says(known)
        n0 = n0_of(channel.model, channel.snr_db_at(user, frame.first_use))
        for change in changes:
            n0 = change.noise(n0)
        source = noise_generator(self._config.seed, user, frame.group_id, frame.frame_id, frame.attempt)
        received = transmit(sent.samples, met, n0, source, self._room)
        add_interference(received, channel.interference, self._config.seed, user, frame.first_use)
        for change in changes:
            change.interfere(received, frame.first_use)
        for change in changes:
            change.front_end(received)
        try:
            payload, full_scale = to_wire(received, frame.sample_format)
        except LocalProtocolError as error:
            raise ProtocolError("bad_samples", "amplitudes that survive the air", str(error)) from None
        return frame.changed(users=(user,), genie_blocks=blocks, full_scale=full_scale, payload=payload)

    def receive_side(self, side: SideInfo, changes: Sequence[AirChange] = ()) -> SideInfo:
        """The same for side information, where it is coded; else it is handed on as it is."""
        sent = self.open_side(side)
        if sent is None:
            return side
        heard = self.receive(sent, side.user, changes)
        return side.changed(
            payload=heard.payload, full_scale=heard.full_scale, genie_blocks=heard.genie_blocks
        )

    def open_side(self, side: SideInfo) -> Transmission | None:
        """What is sent of side information; None where it is not coded: then it does not pass the air.

        Raises `ProtocolError` as `open_frame` does.
        """
        return None if self._config.channel.side_info == "genie" else open_frame(frame_of(side))

    def _realise(
        self, frame: SymbolFrame, user: int, changes: Sequence[AirChange]
    ) -> tuple[Realisation, Realisation]:
        """What a frame's samples meet, and what its receiver may know of that: the same but for faults."""
        place = user, frame.group_id, frame.first_use, frame.uses
        now = known = self._fading.realise(*place)
        for change in changes:
            known = change.aged(known, lambda seed: fading_of(self._config.channel, seed).realise(*place))
        met = now if known is now else spliced(known, now, frame.pilot_uses)
        for change in changes:
            met, known = change.faded(met), change.faded(known)
        return met, known

    def _genie_says(self, realisation: Realisation) -> tuple[tuple[int, tuple[float, ...]], ...]:
        """`genie_blocks` of a frame whose receiver takes it to meet `realisation`."""
        if not self._genie:
            return ()
        if realisation.taps_BL.size > MAX_LIST:
            raise ProtocolError("genie_blocks", f"at most {MAX_LIST} taps", str(realisation.taps_BL.size))
        blocks = zip(realisation.lengths.tolist(), realisation.taps_BL, strict=True)
        return tuple((uses, tuple(taps.view(np.float32).tolist())) for uses, taps in blocks)
