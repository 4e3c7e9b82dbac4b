"""Frames that came only added to others: which can be had, and from what (`shared.air.frame_sum`).

A sum of which one frame is lacking gives that frame, which may be what another sum lacks: peeling, as
fountain codes are decoded (Luby 2002).
"""

from collections.abc import Mapping, Sequence

from shared.air.frame_sum import Named, named_frames
from shared.wire.messages import SymbolFrame

Peeled = dict[int, tuple[Named, SymbolFrame]]
"""By frame_id: what the frame is called, and the sum of which it is what is left."""


def peel(frames: Mapping[int, Sequence[SymbolFrame]], sums: Sequence[SymbolFrame]) -> Peeled:
    """What `sums` give beyond the `frames` that came by themselves."""
    found: Peeled = {}
    left = list(sums)
    while left:
        lacking = [(added, lacking_of(added, frames, found)) for added in left]
        new = {names[0][0]: (names[0], added) for added, names in lacking if len(names) == 1}
        if not new:
            break
        found |= new
        left = [added for added, names in lacking if len(names) > 1]
    return found


def lacking_of(added: SymbolFrame, *known: Mapping[int, object]) -> list[Named]:
    """The frames of a sum that are in none of the maps."""
    return [named for named in named_frames(added) if not any(named[0] in them for them in known)]


def with_their_parts(
    wanted: Sequence[int], frames: Mapping[int, Sequence[SymbolFrame]], peeled: Peeled
) -> dict[int, tuple[SymbolFrame, ...]]:
    """The sums that `wanted` are peeled from, and all that has to be taken away from them, by frame_id."""
    found: dict[int, tuple[SymbolFrame, ...]] = {}
    left = list(wanted)
    while left:
        frame_id = left.pop()
        if frame_id in found:
            continue
        if frame_id in frames:
            found[frame_id] = tuple(frames[frame_id])
        else:
            added = peeled[frame_id][1]
            found[frame_id] = (added,)
            left += [named[0] for named in named_frames(added)]
    return found
