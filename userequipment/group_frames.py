"""What came of one group's frames for this user: which are there, which are good, what a request still lacks.

Where copies are combined (digital frames; analog ones with a least SNR), a frame is good when they have that
SNR together, or when all attempts have come. Frames that were added up are kept too: one of which all others
are there is as good as a frame that came by itself, and may complete another one (peeling).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.air.frame_sum import Named, named_frames
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.peel import Peeled, lacking_of, peel, with_their_parts


@dataclass(frozen=True, slots=True)
class Reception:
    """A request that is ready to be decoded: the copies of each frame, by frame_id; lost ones are absent.

    One that came only added to others is that transmission (`added` in it); all frames that have to be taken
    away are there, also where the request itself needs none of their tokens.
    """

    side: SideInfo
    frames: dict[int, tuple[SymbolFrame, ...]]


@dataclass(frozen=True, slots=True)
class Combining:
    """When copies of a frame are enough: their SNR together, `snr_db_of`, or `max_attempts` of them."""

    snr_db_of: Callable[[Sequence[SymbolFrame]], float]
    least_snr_db: float
    max_attempts: int


class GroupFrames:
    """The first copy of every frame, or with `combining` all that are needed."""

    def __init__(self, combining: Combining | None) -> None:
        self._combining = combining
        self._frames: dict[int, list[SymbolFrame]] = {}
        self._sums: list[SymbolFrame] = []
        self._peeled: Peeled = {}
        self._snr_db: dict[int, float] = {}

    def __bool__(self) -> bool:
        """Whether any frame came by itself."""
        return bool(self._frames)

    @property
    def bytes(self) -> int:
        return sum(size_of(frame) for frames in (*self._frames.values(), self._sums) for frame in frames)

    def wants(self, frame: SymbolFrame) -> bool:
        """Whether it says anything that is not known."""
        if frame.added:
            return bool(lacking_of(frame, self._frames, self._peeled))
        copies = self._frames.get(frame.frame_id)
        return not copies or self._adds(frame, copies)

    def keep(self, frame: SymbolFrame) -> None:
        if frame.added:
            self._sums.append(frame)
        else:
            copies = self._frames.setdefault(frame.frame_id, [])
            copies.append(frame)
            if self._combining is not None:
                self._snr_db[frame.frame_id] = self._combining.snr_db_of(copies)
        self._peeled = peel(self._frames, self._sums)

    def has(self, frame: SymbolFrame) -> bool:
        """Whether this very transmission is kept."""
        copies = self._frames.get(frame.frame_id, ())
        return any(copy.attempt == frame.attempt for copy in copies) or any(
            kept.attempt == frame.attempt and named_frames(kept) == named_frames(frame) for kept in self._sums
        )

    def missing(self, side: SideInfo) -> tuple[int, ...]:
        """The frames, by frame_id, that a request lacks, or has too faintly."""
        return tuple(named[0] for named in side.frames if not self._good(named))

    def reception(self, side: SideInfo) -> Reception:
        """What there is for a request."""
        found = {named: tuple(self._frames.get(named[0], ())) for named in side.frames}
        frames = {named[0]: copies for named, copies in found.items() if copies and _name(copies[0]) == named}
        peeled = [named[0] for named in side.frames if self._peeled.get(named[0], (None,))[0] == named]
        return Reception(side, frames | with_their_parts(peeled, self._frames, self._peeled))

    def _adds(self, frame: SymbolFrame, copies: Sequence[SymbolFrame]) -> bool:
        """Whether it is another attempt at the same, to be combined."""
        first = copies[0]
        same = _name(frame) == _name(first) and frame.uses_per_token == first.uses_per_token
        return self._combining is not None and same and all(c.attempt != frame.attempt for c in copies)

    def _good(self, named: Named) -> bool:
        """There, and well received or as well as it will get."""
        copies = self._frames.get(named[0])
        if not copies:
            return named[0] in self._peeled and self._peeled[named[0]][0] == named
        if _name(copies[0]) != named:
            return False
        combining = self._combining
        if combining is None or self._snr_db[named[0]] >= combining.least_snr_db:
            return True
        return max(copy.attempt for copy in copies) + 1 >= combining.max_attempts


def size_of(frame: SymbolFrame) -> int:
    """Bytes of its samples."""
    payload = frame.payload
    return payload.nbytes if isinstance(payload, memoryview) else len(payload)


def _name(frame: SymbolFrame) -> Named:
    """What the message around an index map calls the frame."""
    return named_frames(frame)[0]
