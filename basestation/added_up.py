"""Which frames that are asked for again can be one transmission, and that one (`shared.air.frame_sum`)."""

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from shared.air import frame_sum, samples
from shared.air.carry import carried
from shared.config import RunConfig
from shared.wire.messages import SymbolFrame

Repeat = tuple[int, int]
"""(frame_id, attempt): what is lacking to users who were sent a frame so many times."""


@dataclass(frozen=True, slots=True)
class Adding:
    """What a run allows, and how its frames are added up."""

    config: RunConfig

    def most(self, user: int) -> int:
        """How many frames may be added for a user who lacks one of them.

        Of K frames the one that is lacking has 2 K - 1 times the noise that it would have by itself: its SNR
        must still be `sharing.least_snr_db`, what a user needs to share tokens with others. Digital frames
        and faint ones are combined with attempts of their own; where there is no noise, samples are to come
        as they were sent.
        """
        channel, retransmission = self.config.channel, self.config.retransmission
        if channel.model == "ideal" or channel.mode == "digital" or retransmission.least_snr_db is not None:
            return 1
        margin = 10.0 ** ((channel.snr_db_of(user) - self.config.sharing.least_snr_db) / 10.0)
        return max(1, min(retransmission.frames_at_once, math.floor((margin + 1.0) / 2.0)))

    def add(self, frames: Sequence[SymbolFrame]) -> SymbolFrame:
        """Frames of one group, with as many channel uses a token, the longest first: that one's message, with
        the others named in `added`.
        """
        longest, *others = frames
        body_U = frame_sum.add([_body(frame) for frame in (longest, *others)])
        return replace(
            longest,
            added=tuple((frame.frame_id, frame.first_token, frame.n_tokens) for frame in others),
            **carried(self.config.channel, body_U),
        )


def together(
    lacking: Mapping[Repeat, Set[int]],
    having: Mapping[int, Set[int]],
    frames: Mapping[int, SymbolFrame],
    most: Callable[[int], int],
) -> list[tuple[Repeat, ...]]:
    """What is lacking, in combinations that are sent as one, the longest frame first; each in one of them.

    `lacking` are the users who ask, `having`, by frame_id, those known to have a frame. Frames go together
    where everybody who lacks one of them has the others, and may be sent so many (`most`). First fit, the
    longest frames first: the best cover is a clique cover, which is NP-hard, and saves little more.
    """
    found: list[list[Repeat]] = []
    for repeat in sorted(lacking, key=lambda r: (-frames[r[0]].n_tokens, r)):
        for others in found:
            combined = [*others, repeat]
            room = min(most(user) for one in combined for user in lacking[one])
            if len(combined) <= room and all(_fit(repeat, o, lacking, having, frames) for o in others):
                others.append(repeat)
                break
        else:
            found.append([repeat])
    return [tuple(repeats) for repeats in found]


def _fit(
    one: Repeat,
    other: Repeat,
    lacking: Mapping[Repeat, Set[int]],
    having: Mapping[int, Set[int]],
    frames: Mapping[int, SymbolFrame],
) -> bool:
    alike = frames[one[0]].uses_per_token == frames[other[0]].uses_per_token
    return alike and lacking[one] <= having[other[0]] and lacking[other] <= having[one[0]]


def _body(frame: SymbolFrame) -> np.ndarray:
    """What follows a frame's pilots, as it left the antenna."""
    sent = samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)
    return sent[frame.pilot_uses :]
