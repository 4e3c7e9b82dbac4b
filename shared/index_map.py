"""The index map: which token of a request's sequence is public, private, already known, or not sent.

Layout on the air, most significant bit first:

    task 2 | has image 1 | question at UE 1 | text tokens 11 | eighths of an image token's uses - 1 3
    amplitude of the public stream 7 | of the private stream 7                       32 control bits
    if there is an image: 1 'all tokens selected', or 0 and
        how many k, in as many bits as N needs | which, ceil(log2 C(N, k)) (`subset_code`)
    runs until every position that is left is covered:
        state 3 | length (Elias gamma) | if sent: 1 'continues', or 0 and first reference + 1 (Elias gamma)
    CRC-16/CCITT over all of the above, zero-padded to bytes

A run says that `length` consecutive positions have one state and, when sent, consecutive places in their
stream. Positions are the image tokens, then the text tokens. A map for an image that all users share is
some 60 bits; one that selects 16 of its 100 tokens, 70 more. Elias gamma codes: Elias 1975.
"""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from shared.air.power import AMPLITUDE_CODES
from shared.rate import EIGHTHS
from shared.subset_code import places_of, rank_bits, rank_of
from shared.wire.messages import TASKS

MAX_TEXT_TOKENS = 2**11 - 1
_TASK_BITS, _TEXT_BITS, _EIGHTHS_BITS, _AMPLITUDE_BITS = 2, 11, 3, 7
_CRC_BITS = 16
_MAX_GAMMA_ZEROS = 31


class IndexMapError(ValueError):
    """The bits are not an index map, or point nowhere: the receiver treats the map as lost."""


class TokenState(IntEnum):
    """What the receiver finds at one position of the sequence."""

    PUBLIC = 0  # a place in the group's public stream
    PRIVATE = 1  # a place in the request's private stream
    KNOWN = 2  # a place in the receiver's semantic cache
    ERASED = 3  # not sent, to be marked by the erasure vector
    UNSELECTED = 4  # not sent, masked from attention


SENT = (TokenState.PUBLIC, TokenState.PRIVATE, TokenState.KNOWN)


@dataclass(frozen=True, slots=True)
class Run:
    """`length` positions of one state; `start` is the first reference when the state is a sent one."""

    state: TokenState
    length: int
    start: int = 0

    def references(self) -> Iterator[tuple[TokenState, int]]:
        """(state, reference) of each position; the reference is -1 when nothing is sent."""
        for offset in range(self.length):
            yield self.state, self.start + offset if self.state in SENT else -1


@dataclass(frozen=True, slots=True)
class IndexMap:
    """The side information of one request. `runs` cover the image tokens (if any), then the text tokens.

    `amplitudes` says times what the codec's symbols were sent, public and private (`air.power.amplitude_of`);
    `image_eighths`, how much of each image token (`rate.prefix_uses`).
    """

    task: str
    has_image: bool
    question_at_ue: bool
    text_tokens: int
    amplitudes: tuple[int, int]
    runs: tuple[Run, ...]
    image_eighths: int = EIGHTHS

    def positions(self) -> list[tuple[TokenState, int]]:
        """(state, reference) for every position of the sequence."""
        return [entry for run in self.runs for entry in run.references()]


def runs_of(positions: list[tuple[TokenState, int]]) -> tuple[Run, ...]:
    """Group neighbouring positions whose references follow each other."""
    runs: list[Run] = []
    for state, reference in positions:
        last = runs[-1] if runs else None
        follows = last is not None and last.state is state
        if last is not None and follows and (state not in SENT or reference == last.start + last.length):
            runs[-1] = Run(state, last.length + 1, last.start)
        else:
            runs.append(Run(state, 1, reference if state in SENT else 0))
    return tuple(runs)


def encode(index_map: IndexMap) -> tuple[bytes, int]:
    """Payload and its length in bits, CRC included. Raises `IndexMapError` for values that do not fit."""
    if not 0 <= index_map.text_tokens <= MAX_TEXT_TOKENS:
        raise IndexMapError(f"at most {MAX_TEXT_TOKENS} text tokens fit the map")
    if not all(0 <= code < AMPLITUDE_CODES for code in index_map.amplitudes):
        raise IndexMapError(f"amplitude codes {index_map.amplitudes} do not fit the map")
    if not 1 <= index_map.image_eighths <= EIGHTHS:
        raise IndexMapError(f"{index_map.image_eighths} eighths of an image token do not fit the map")
    out = _BitWriter()
    out.put(TASKS.index(index_map.task), _TASK_BITS)
    out.put(int(index_map.has_image), 1)
    out.put(int(index_map.question_at_ue), 1)
    out.put(index_map.text_tokens, _TEXT_BITS)
    out.put(index_map.image_eighths - 1, _EIGHTHS_BITS)
    for code in index_map.amplitudes:
        out.put(code, _AMPLITUDE_BITS)
    positions = index_map.positions()
    if index_map.has_image:
        positions = _put_selection(out, positions, len(positions) - index_map.text_tokens)
    following: dict[TokenState, int] = {}
    for run in runs_of(positions):
        out.put(run.state, 3)
        out.gamma(run.length)
        if run.state in SENT:
            if run.start == following.get(run.state, 0):
                out.put(1, 1)
            else:
                out.put(0, 1)
                out.gamma(run.start + 1)
            following[run.state] = run.start + run.length
    n_bits = out.n_bits + _CRC_BITS
    crc = binascii.crc_hqx(out.to_bytes(), 0xFFFF)
    out.put(crc, _CRC_BITS)
    return out.to_bytes(), n_bits


def _put_selection(
    out: "_BitWriter", positions: list[tuple[TokenState, int]], image_tokens: int
) -> list[tuple[TokenState, int]]:
    """Which image tokens are sent at all; returns the positions that runs have yet to cover."""
    selected = [i for i in range(image_tokens) if positions[i][0] is not TokenState.UNSELECTED]
    out.put(int(len(selected) == image_tokens), 1)
    if len(selected) < image_tokens:
        out.put(len(selected), image_tokens.bit_length())
        out.put(rank_of(selected), rank_bits(image_tokens, len(selected)))
    return [positions[i] for i in selected] + positions[image_tokens:]


def decode(payload: bytes | memoryview, image_tokens: int) -> IndexMap:
    """Inverse of `encode`; `image_tokens` is the bundle's image length. Raises `IndexMapError`."""
    bits = _BitReader(bytes(payload))
    task_index = bits.take(_TASK_BITS)
    if task_index >= len(TASKS):
        raise IndexMapError(f"task code {task_index} is not known")
    has_image, question_at_ue = bool(bits.take(1)), bool(bits.take(1))
    text_tokens, image_eighths = bits.take(_TEXT_BITS), bits.take(_EIGHTHS_BITS) + 1
    amplitudes = bits.take(_AMPLITUDE_BITS), bits.take(_AMPLITUDE_BITS)
    selected = _take_selection(bits, image_tokens) if has_image else ()
    total = len(selected) + text_tokens
    sent: list[tuple[TokenState, int]] = []
    covered = 0
    following: dict[TokenState, int] = {}
    while covered < total:
        code = bits.take(3)
        if code > max(TokenState):
            raise IndexMapError(f"token state {code} is not known")
        state, length, start = TokenState(code), bits.gamma(), 0
        if state in SENT:
            start = following.get(state, 0) if bits.take(1) else bits.gamma() - 1
            following[state] = start + length
        covered += length
        if covered > total:
            break  # before anything as long as a damaged map says is made
        sent += Run(state, length, start).references()
    if covered != total:
        raise IndexMapError(f"the runs cover {covered} positions of {total}")
    body_bits = bits.position
    crc = bits.take(_CRC_BITS)
    if crc != binascii.crc_hqx(bits.prefix(body_bits), 0xFFFF) or bits.rest_is_not_padding():
        raise IndexMapError("CRC mismatch")
    positions = [(TokenState.UNSELECTED, -1)] * (image_tokens if has_image else 0)
    for place, entry in zip(selected, sent, strict=False):
        positions[place] = entry
    runs = runs_of([*positions, *sent[len(selected) :]])
    return IndexMap(
        TASKS[task_index], has_image, question_at_ue, text_tokens, amplitudes, runs, image_eighths
    )


def _take_selection(bits: "_BitReader", image_tokens: int) -> tuple[int, ...]:
    """The image tokens that are sent at all. Raises `IndexMapError`."""
    if bits.take(1):
        return tuple(range(image_tokens))
    count = bits.take(image_tokens.bit_length())
    if count >= image_tokens:
        raise IndexMapError(f"{count} of {image_tokens} image tokens selected")
    rank = bits.take(rank_bits(image_tokens, count))
    try:
        return places_of(rank, image_tokens, count)
    except ValueError as error:
        raise IndexMapError(f"selected image tokens: {error}") from None


class _BitWriter:
    def __init__(self) -> None:
        self._value = 0
        self.n_bits = 0

    def put(self, value: int, width: int) -> None:
        self._value = (self._value << width) | value
        self.n_bits += width

    def gamma(self, value: int) -> None:
        width = value.bit_length()
        self.put(0, width - 1)
        self.put(value, width)

    def to_bytes(self) -> bytes:
        padding = -self.n_bits % 8
        return (self._value << padding).to_bytes((self.n_bits + padding) // 8, "big")


class _BitReader:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._n_bits = 8 * len(data)
        self.position = 0

    def take(self, width: int) -> int:
        if self.position + width > self._n_bits:
            raise IndexMapError("the map ends early")
        self.position += width
        return (self._value >> (self._n_bits - self.position)) & ((1 << width) - 1)

    def gamma(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MAX_GAMMA_ZEROS:
                raise IndexMapError("a number in the map is too large")
        return (1 << zeros) | self.take(zeros)

    def prefix(self, n_bits: int) -> bytes:
        padding = -n_bits % 8
        return ((self._value >> (self._n_bits - n_bits)) << padding).to_bytes((n_bits + padding) // 8, "big")

    def rest_is_not_padding(self) -> bool:
        rest = self._n_bits - self.position
        return rest >= 8 or bool(self._value & ((1 << rest) - 1))
