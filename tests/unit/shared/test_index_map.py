"""The index map survives the trip bit by bit, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import index_map
from shared.index_map import SENT, IndexMap, IndexMapError, Run, TokenState, runs_of

IMAGE_TOKENS = 64


def a_map(runs: tuple[Run, ...], text_tokens: int, has_image: bool = True) -> IndexMap:
    return IndexMap("vqa", has_image, False, text_tokens, (64, 127), runs)


@st.composite
def maps(draw: st.DrawFn) -> IndexMap:
    has_image, text_tokens = draw(st.booleans()), draw(st.integers(0, 200))
    total = IMAGE_TOKENS * has_image + text_tokens
    references = st.tuples(st.sampled_from(TokenState), st.integers(0, 5_000))
    positions = [
        (state, reference if state in SENT else -1)
        for state, reference in draw(st.lists(references, min_size=total, max_size=total))
    ]
    return IndexMap(
        draw(st.sampled_from(["vqa", "caption", "text_classification"])),
        has_image,
        draw(st.booleans()),
        text_tokens,
        draw(st.tuples(st.integers(0, 127), st.integers(0, 127))),
        runs_of(positions),
    )


@given(maps())
def test_a_map_is_read_back_as_it_was_written(original: IndexMap) -> None:
    payload, n_bits = index_map.encode(original)
    assert len(payload) == (n_bits + 7) // 8
    read = index_map.decode(payload, IMAGE_TOKENS)
    assert read.positions() == original.positions()
    assert (read.task, read.text_tokens, read.amplitudes) == (
        original.task,
        original.text_tokens,
        original.amplitudes,
    )


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_map_or_an_error(data: bytes) -> None:
    try:
        read = index_map.decode(data, IMAGE_TOKENS)
    except IndexMapError:
        return
    assert len(read.positions()) == IMAGE_TOKENS * read.has_image + read.text_tokens


@given(maps(), st.data())
def test_every_single_bit_error_is_detected(original: IndexMap, data: st.DataObject) -> None:
    payload, _ = index_map.encode(original)
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    flipped = bytearray(payload)
    flipped[bit // 8] ^= 128 >> bit % 8
    with pytest.raises(IndexMapError):
        index_map.decode(flipped, IMAGE_TOKENS)


def test_a_shared_image_with_private_words_costs_few_bits() -> None:
    runs = (Run(TokenState.PUBLIC, 64, 0), Run(TokenState.PRIVATE, 12, 0))
    # 30 control + (3 state + 13 gamma(64) + 1) + (3 + 7 gamma(12) + 1) + 16 CRC
    assert index_map.encode(a_map(runs, 12))[1] == 30 + 17 + 11 + 16


def test_neighbours_with_consecutive_references_form_one_run() -> None:
    positions = [
        (TokenState.PUBLIC, 5),
        (TokenState.PUBLIC, 6),
        (TokenState.PUBLIC, 9),
        (TokenState.ERASED, -1),
    ]
    assert runs_of(positions) == (
        Run(TokenState.PUBLIC, 2, 5),
        Run(TokenState.PUBLIC, 1, 9),
        Run(TokenState.ERASED, 1),
    )


def test_too_many_words_do_not_fit() -> None:
    with pytest.raises(IndexMapError, match="2047 text tokens"):
        index_map.encode(a_map((), 2_048))
