"""All frames of a request to token symbols: also those that came only added to others.

Shapes: U channel uses of a frame's tokens.
"""

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np

from shared.air import frame_sum
from shared.air.frame_sum import named_frames
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols, equalise_body
from userequipment.combine import TokensOfFrame, equalise_copies


def equalise_all(frames: Mapping[int, Sequence[SymbolFrame]], air: Air) -> dict[int, TokensOfFrame]:
    """Token symbols of every frame that can be read, by frame_id; `frames` has the copies of each.

    Of a frame that came only added to others, what is left when those are taken away.
    """
    found: dict[int, TokensOfFrame] = {}
    sums: dict[int, SymbolFrame] = {}
    for frame_id, copies in frames.items():
        if copies[0].added:
            sums[frame_id] = copies[0]
            continue
        with contextlib.suppress(ProtocolError):  # a frame that cannot be read is a lost frame
            found[frame_id] = equalise_copies(copies, air)
    while ready := [name for name, added in sums.items() if _others(added, name) <= found.keys()]:
        for frame_id in ready:
            with contextlib.suppress(ProtocolError):
                found[frame_id] = _left_of(sums[frame_id], frame_id, found, air)
            del sums[frame_id]
    return found


def _others(added: SymbolFrame, frame_id: int) -> set[int]:
    return {named[0] for named in named_frames(added)} - {frame_id}


def _left_of(
    added: SymbolFrame, frame_id: int, found: Mapping[int, TokensOfFrame], air: Air
) -> TokensOfFrame:
    """Raises `ProtocolError` where the frames in a sum are not those that came by these names."""
    known: list[tuple[np.ndarray, np.ndarray] | None] = []
    first, n_tokens = 0, 0
    for number, _, first_token, tokens in named_frames(added):
        places = range(first_token, first_token + tokens)
        if tokens > added.n_tokens or (number != frame_id and not found[number].keys() >= set(places)):
            raise ProtocolError("bad_samples", "the frames that were added up", f"frame {number}")
        if number == frame_id:
            known.append(None)
            first, n_tokens = first_token, tokens
            continue
        of_frame = [found[number][place] for place in places]
        known.append(
            (
                np.concatenate([token.symbols_U for token in of_frame]),
                np.concatenate([token.noise_variance_U for token in of_frame]),
            )
        )
    sum_U, noise_U = equalise_body(added, air)
    if any(part is not None and len(part[0]) > len(sum_U) for part in known):
        raise ProtocolError("bad_samples", "frames no longer than their sum", "longer ones")
    left_U, left_noise_U = frame_sum.take_apart(sum_U, noise_U, known)
    size = added.uses_per_token
    return {
        first + i: TokenSymbols(left_U[i * size : (i + 1) * size], left_noise_U[i * size : (i + 1) * size])
        for i in range(n_tokens)
    }
