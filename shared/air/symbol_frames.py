"""A part's analog symbols on the air: at unit average power, cut into frames, pilots in front of each.

Nothing else crosses with them: a part's sum |x|^2 equals its channel uses, so no amplitude need be told.
One channel use is one complex symbol; SNR is average received Es/N0.

Shapes: N tokens of a part, U channel uses a token.
"""

from typing import Final

import numpy as np

from shared.air import power
from shared.air.carry import carried
from shared.config import ChannelConfig
from shared.wire.messages import SymbolFrame

MOST_USES: Final = 256
"""Channel uses of a frame, pilots apart, unless one token has more."""


def frames_of(
    symbols_NU: np.ndarray,
    channel: ChannelConfig,
    *,
    stream: str,
    users: tuple[int, ...],
    group_id: int,
    first_frame: int,
    first_token: int,
) -> list[SymbolFrame]:
    """The frames of one part, numbered from `first_frame` on, its tokens from `first_token` in their stream.

    Raises `LocalProtocolError` for symbols without energy.
    """
    uses = symbols_NU.shape[1]
    scaled_NU = power.normalise(symbols_NU.reshape(-1)).reshape(symbols_NU.shape)
    tokens = max(1, MOST_USES // uses)
    return [
        SymbolFrame(
            stream=stream,
            users=users,
            group_id=group_id,
            frame_id=first_frame + number,
            attempt=0,
            first_token=first_token + start,
            n_tokens=len(scaled_NU[start : start + tokens]),
            uses_per_token=uses,
            first_use=0,
            **carried(channel, scaled_NU[start : start + tokens].reshape(-1)),
        )
        for number, start in enumerate(range(0, len(scaled_NU), tokens))
    ]
