"""The index map: which token of a request's sequence is public, private, already known, or not sent.

Layout on the air, most significant bit first:

    task 2 | has image 1 | question at UE 1 | text tokens 11 | eighths of an image token's uses - 1 3
    amplitude of the public stream 7 | of the private stream 7                       32 control bits
    if there is an image: 1 'in the cache' and slot 4 | version 12, and nothing more of the image; or 0 and
        1 'keep it' and slot 4 | version 12, or 0
        1 'all tokens selected', or 0 and how many k, in as many bits as N needs |
            which, ceil(log2 C(N, k)) (`subset_code`)
    if image tokens are selected: 1 and a pattern (`token_pattern`), or 0 and runs until each is covered
    if there are text tokens: 1 'whole', or 0 and eighths of a text token's uses - 1 3
    runs for the text tokens:
        state, 1 to 4 (`token_runs`)
        1 'to the last of them', or 0 and length (Elias gamma)
        if sent: 1 'continues', or 0 and first reference + 1 (Elias gamma)
    CRC-16/CCITT over all of the above, zeros to the end of its block

A run says that `length` consecutive positions have one state and, when sent, consecutive places in their
stream; 'continues' is the place after the last one in that stream, at first 0. Positions are the image
tokens, then the text tokens. Of pattern and runs the sender takes what is shorter: a pattern where few tokens
stand for many places, or where most places have another image's token. A map for an image that all users
share and words of one's own is 60 bits, as it is without sharing; one that selects 16 of 100 image tokens, 68
more; 70 for an image in the cache. Elias gamma codes: Elias 1975.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from shared.air.power import AMPLITUDE_CODES
from shared.bits import BitError, BitReader, BitWriter
from shared.rate import EIGHTHS, WHOLE, Prefixes
from shared.semantic_cache import SLOT_BITS, VERSION_BITS, Slot
from shared.subset_code import places_of, rank_bits, rank_of
from shared.token_pattern import PatternError, Token, put_pattern, take_pattern
from shared.token_runs import Run, RunError, TokenState, put_runs, runs_of, take_runs
from shared.wire.messages import TASKS

MAX_TEXT_TOKENS = 2**11 - 1
_TASK_BITS, _TEXT_BITS, _EIGHTHS_BITS, _AMPLITUDE_BITS = 2, 11, 3, 7
_CRC_BITS = 16
_PATTERN_BITS = 3
"""No pattern has fewer: no public token, and a code that ends in two bits."""


class IndexMapError(ValueError):
    """The bits are not an index map, or point nowhere: the receiver treats the map as lost."""


@dataclass(frozen=True, slots=True)
class IndexMap:
    """The side information of one request. `runs` cover the image tokens (if any), then the text tokens.

    `amplitudes` says times what the codec's symbols were sent, public and private (`air.power.amplitude_of`);
    `prefixes`, how much of each token; of texts, where there is none, all. `cached`: the image is the one in
    that slot of the UE's cache, its positions are KNOWN; `keep`: it is to be put there.
    """

    task: str
    has_image: bool
    question_at_ue: bool
    text_tokens: int
    amplitudes: tuple[int, int]
    runs: tuple[Run, ...]
    prefixes: Prefixes = WHOLE
    cached: Slot | None = None
    keep: Slot | None = None

    def positions(self) -> list[tuple[TokenState, int]]:
        """(state, reference) for every position of the sequence."""
        return [entry for run in self.runs for entry in run.references()]


def encode(index_map: IndexMap) -> tuple[bytes, int]:
    """Payload and its length in bits, CRC included. Raises `IndexMapError` for values that do not fit."""
    if not 0 <= index_map.text_tokens <= MAX_TEXT_TOKENS:
        raise IndexMapError(f"at most {MAX_TEXT_TOKENS} text tokens fit the map")
    if not all(0 <= code < AMPLITUDE_CODES for code in index_map.amplitudes):
        raise IndexMapError(f"amplitude codes {index_map.amplitudes} do not fit the map")
    for kind, eighths in (("image", index_map.prefixes.image), ("text", index_map.prefixes.text)):
        if not 1 <= eighths <= EIGHTHS:
            raise IndexMapError(f"{eighths} eighths of a token of {kind} do not fit the map")
    out = BitWriter()
    out.put(TASKS.index(index_map.task), _TASK_BITS)
    out.put(int(index_map.has_image), 1)
    out.put(int(index_map.question_at_ue), 1)
    out.put(index_map.text_tokens, _TEXT_BITS)
    out.put(index_map.prefixes.image - 1, _EIGHTHS_BITS)
    for code in index_map.amplitudes:
        out.put(code, _AMPLITUDE_BITS)
    positions = index_map.positions()
    image, text = (
        positions[: len(positions) - index_map.text_tokens],
        positions[len(positions) - index_map.text_tokens :],
    )
    if index_map.cached is not None and (not index_map.has_image or image != known_positions(len(image))):
        raise IndexMapError("an image in the cache has known positions only")
    following: dict[TokenState, int] = {}
    if index_map.has_image:
        _put_slot(out, index_map.cached)
        if index_map.cached is None:
            _put_slot(out, index_map.keep)
            _put_image(out, image, following)
    if text:
        _put_prefix(out, index_map.prefixes.text)
    put_runs(out, text, following)
    n_bits = out.n_bits + _CRC_BITS
    crc = binascii.crc_hqx(out.to_bytes(), 0xFFFF)
    out.put(crc, _CRC_BITS)
    return out.to_bytes(), n_bits


def known_positions(image_tokens: int) -> list[tuple[TokenState, int]]:
    """Those of an image in the cache."""
    return [(TokenState.KNOWN, i) for i in range(image_tokens)]


def _put_slot(out: BitWriter, slot: Slot | None) -> None:
    out.put(int(slot is not None), 1)
    if slot is not None:
        out.put(slot.number, SLOT_BITS)
        out.put(slot.version, VERSION_BITS)


def _take_slot(bits: BitReader) -> Slot | None:
    return Slot(bits.take(SLOT_BITS), bits.take(VERSION_BITS)) if bits.take(1) else None


def _put_prefix(out: BitWriter, eighths: int) -> None:
    out.put(int(eighths == EIGHTHS), 1)
    if eighths < EIGHTHS:
        out.put(eighths - 1, _EIGHTHS_BITS)


def _take_prefix(bits: BitReader) -> int:
    """Raises `IndexMapError`, `BitError`."""
    if bits.take(1):
        return EIGHTHS
    eighths = bits.take(_EIGHTHS_BITS) + 1
    if eighths == EIGHTHS:
        raise IndexMapError("a part of a text token, and then all of it")
    return eighths


def _put_image(out: BitWriter, image: list[tuple[TokenState, int]], following: dict[TokenState, int]) -> None:
    """Which image tokens are sent at all, and which token of a stream each of them is."""
    selected = _put_selection(out, image)
    if not selected:
        return
    sent = [image[place] for place in selected]
    runs, after = BitWriter(), dict(following)
    put_runs(runs, sent, after)
    pattern = _pattern(sent, selected, len(image)) if runs.n_bits > _PATTERN_BITS else None
    if pattern is not None and pattern.n_bits < runs.n_bits:
        out.put(1, 1)
        out.extend(pattern)
        following.update(_after_pattern(sent))
    else:
        out.put(0, 1)
        out.extend(runs)
        following.update(after)


def _pattern(
    sent: Sequence[tuple[TokenState, int]], places: Sequence[int], image_tokens: int
) -> BitWriter | None:
    """None where the tokens make no pattern."""
    if any(state not in (TokenState.PUBLIC, TokenState.PRIVATE) for state, _ in sent):
        return None
    out = BitWriter()
    tokens: list[Token] = [(state is TokenState.PUBLIC, reference) for state, reference in sent]
    try:
        put_pattern(out, tokens, places, image_tokens)
    except PatternError:
        return None
    return out


def _after_pattern(sent: Sequence[tuple[TokenState, int]]) -> dict[TokenState, int]:
    """The place after the last one that is used, in each stream."""
    after: dict[TokenState, int] = {}
    for state, reference in sent:
        after[state] = max(after.get(state, 0), reference + 1)
    return after


def _put_selection(out: BitWriter, image: list[tuple[TokenState, int]]) -> list[int]:
    """Which image tokens are sent at all; returns their places."""
    selected = [i for i, (state, _) in enumerate(image) if state is not TokenState.UNSELECTED]
    out.put(int(len(selected) == len(image)), 1)
    if len(selected) < len(image):
        out.put(len(selected), len(image).bit_length())
        out.put(rank_of(selected), rank_bits(len(image), len(selected)))
    return selected


def decode(payload: bytes | memoryview, image_tokens: int) -> IndexMap:
    """Inverse of `encode`; `image_tokens` is the bundle's image length. Raises `IndexMapError`."""
    try:
        return _read(BitReader(bytes(payload)), image_tokens)
    except (BitError, PatternError, RunError) as error:
        raise IndexMapError(f"the map: {error}") from None


def _read(bits: BitReader, image_tokens: int) -> IndexMap:
    task_index = bits.take(_TASK_BITS)
    if task_index >= len(TASKS):
        raise IndexMapError(f"task code {task_index} is not known")
    has_image, question_at_ue = bool(bits.take(1)), bool(bits.take(1))
    text_tokens, image_eighths = bits.take(_TEXT_BITS), bits.take(_EIGHTHS_BITS) + 1
    amplitudes = bits.take(_AMPLITUDE_BITS), bits.take(_AMPLITUDE_BITS)
    cached = _take_slot(bits) if has_image else None
    keep = _take_slot(bits) if has_image and cached is None else None
    selected = _take_selection(bits, image_tokens) if has_image and cached is None else ()
    following: dict[TokenState, int] = {}
    sent = _take_image(bits, selected, image_tokens, following)
    text_eighths = _take_prefix(bits) if text_tokens else EIGHTHS
    text = take_runs(bits, text_tokens, following)
    body_bits = bits.position
    crc = bits.take(_CRC_BITS)
    if crc != binascii.crc_hqx(bits.prefix(body_bits), 0xFFFF) or bits.rest_is_not_padding():
        raise IndexMapError("CRC mismatch")
    positions = [(TokenState.UNSELECTED, -1)] * (image_tokens if has_image else 0)
    if cached is not None:
        positions = known_positions(image_tokens)
    for place, entry in zip(selected, sent, strict=True):
        positions[place] = entry
    runs = runs_of([*positions, *text])
    return IndexMap(
        TASKS[task_index],
        has_image,
        question_at_ue,
        text_tokens,
        amplitudes,
        runs,
        Prefixes(image_eighths, text_eighths),
        cached,
        keep,
    )


def _take_image(
    bits: BitReader, selected: Sequence[int], image_tokens: int, following: dict[TokenState, int]
) -> list[tuple[TokenState, int]]:
    """Inverse of `_put_image`, without the selection. Raises `IndexMapError`, `PatternError`, `BitError`."""
    if not selected:
        return []
    if not bits.take(1):
        return take_runs(bits, len(selected), following)
    found = take_pattern(bits, selected, image_tokens)
    sent = [(TokenState.PUBLIC if public else TokenState.PRIVATE, place) for public, place in found]
    following.update(_after_pattern(sent))
    return sent


def _take_selection(bits: BitReader, image_tokens: int) -> tuple[int, ...]:
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
