"""Runs of an index map: neighbouring tokens of one state whose places in their stream follow each other.

How they are written is in `shared.index_map`. Elias gamma codes: Elias 1975.
"""

from dataclasses import dataclass
from enum import IntEnum

from shared.bits import BitReader, BitWriter


class RunError(ValueError):
    """Runs that are longer than what they cover."""


class TokenState(IntEnum):
    """What the receiver finds at one position of the sequence."""

    PUBLIC = 0  # a place in the group's public stream
    PRIVATE = 1  # a place in the request's private stream
    KNOWN = 2  # a place in the receiver's semantic cache
    ERASED = 3  # not sent, to be marked by the erasure vector
    UNSELECTED = 4  # not sent, masked from attention


SENT = (TokenState.PUBLIC, TokenState.PRIVATE, TokenState.KNOWN)
#: Ones before the zero; the last state needs none.
_STATE_CODES = tuple(TokenState)


@dataclass(frozen=True, slots=True)
class Run:
    """`length` positions of one state; `start` is the first reference when the state is a sent one."""

    state: TokenState
    length: int
    start: int = 0

    def references(self) -> list[tuple[TokenState, int]]:
        """(state, reference) of each position; the reference is -1 when nothing is sent."""
        if self.state not in SENT:
            return [(self.state, -1)] * self.length
        return [(self.state, place) for place in range(self.start, self.start + self.length)]


def runs_of(positions: list[tuple[TokenState, int]]) -> tuple[Run, ...]:
    """Group neighbouring positions whose references follow each other."""
    runs: list[Run] = []
    begin = 0
    for place in range(1, len(positions) + 1):
        if place < len(positions):
            (before, last), (state, reference) = positions[place - 1], positions[place]
            if state is before and (state not in SENT or reference == last + 1):
                continue
        state, start = positions[begin]
        runs.append(Run(state, place - begin, start if state in SENT else 0))
        begin = place
    return tuple(runs)


def put_runs(out: BitWriter, part: list[tuple[TokenState, int]], following: dict[TokenState, int]) -> None:
    """Cover one part of the positions; `following` has the place after the last one in each stream."""
    left = len(part)
    for run in runs_of(part):
        ones = _STATE_CODES.index(run.state)
        out.put((1 << ones) - 1, ones)
        if ones < len(_STATE_CODES) - 1:
            out.put(0, 1)
        out.put(int(run.length == left), 1)
        if run.length < left:
            out.gamma(run.length)
        left -= run.length
        if run.state in SENT:
            continues = run.start == following.get(run.state, 0)
            out.put(int(continues), 1)
            if not continues:
                out.gamma(run.start + 1)
            following[run.state] = run.start + run.length


def take_runs(bits: BitReader, left: int, following: dict[TokenState, int]) -> list[tuple[TokenState, int]]:
    """Inverse of `put_runs`. Raises `RunError`, `BitError`."""
    part: list[tuple[TokenState, int]] = []
    while left:
        ones = 0
        while ones < len(_STATE_CODES) - 1 and bits.take(1):
            ones += 1
        state, length, start = _STATE_CODES[ones], left if bits.take(1) else bits.gamma(), 0
        if length > left:  # before anything as long as a damaged map says is made
            raise RunError(f"a run of {length} positions where {left} are left")
        if state in SENT:
            start = following.get(state, 0) if bits.take(1) else bits.gamma() - 1
            following[state] = start + length
        part += Run(state, length, start).references()
        left -= length
    return part
