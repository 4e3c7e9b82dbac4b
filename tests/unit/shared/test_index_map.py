"""The index map survives the trip bit by bit, and nothing else is taken for one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import index_map
from shared.index_map import IndexMap, IndexMapError
from shared.rate import Prefixes
from shared.semantic_cache import Slot
from shared.token_runs import SENT, Run, TokenState, runs_of

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
    slots = st.builds(Slot, st.integers(0, 15), st.integers(0, 4_095))
    return IndexMap(
        draw(st.sampled_from(["vqa", "caption", "text_classification"])),
        has_image,
        draw(st.booleans()),
        text_tokens,
        draw(st.tuples(st.integers(0, 127), st.integers(0, 127))),
        runs_of(positions),
        Prefixes(draw(st.integers(1, 8)), draw(st.integers(1, 8)) if text_tokens else 8),
        keep=draw(st.none() | slots) if has_image else None,
    )


@given(maps())
def test_a_map_is_read_back_as_it_was_written(original: IndexMap) -> None:
    payload, n_bits = index_map.encode(original)
    assert len(payload) == (n_bits + 7) // 8
    read = index_map.decode(payload, IMAGE_TOKENS)
    assert read.positions() == original.positions()
    assert replace(read, runs=()) == replace(original, runs=())


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
    # 32 control + 4 (not cached, not to keep, all selected, runs) + (1 state + 1 to the last + 1 continues) +
    # 1 whole words + (2 + 1 + 1) + 16 CRC
    assert index_map.encode(a_map(runs, 12))[1] == 32 + 4 + 3 + 1 + 4 + 16


def test_sharing_an_image_costs_the_map_nothing() -> None:
    shared = (Run(TokenState.PUBLIC, 64, 0), Run(TokenState.PRIVATE, 12, 0))
    alone = (Run(TokenState.PRIVATE, 64, 0), Run(TokenState.PRIVATE, 12, 64))
    assert index_map.encode(a_map(shared, 12))[1] <= index_map.encode(a_map(alone, 12))[1]


def test_words_that_begin_alike_cost_one_run_more() -> None:
    runs = (Run(TokenState.PUBLIC, 64, 0), Run(TokenState.PUBLIC, 5, 64), Run(TokenState.PRIVATE, 7, 0))
    # (1 state + 1 not to the last + 5 gamma(5) + 1 continues) more
    assert index_map.encode(a_map(runs, 12))[1] == 32 + 4 + 3 + 1 + 8 + 4 + 16


def test_which_tokens_are_selected_costs_what_there_is_to_choose() -> None:
    """Scattered as they are, they make one run."""
    chosen = range(3, 64, 8)
    positions = [(TokenState.UNSELECTED, -1)] * 64
    for reference, place in enumerate(chosen):
        positions[place] = (TokenState.PUBLIC, reference)
    # 8 of 64 in 7 bits, ceil(log2 C(64, 8)) = 33, runs, (1 state + 1 to the last + 1 continues)
    assert index_map.encode(a_map(runs_of(positions), 0))[1] == 32 + 3 + 7 + 33 + 1 + 3 + 16


def test_a_selection_of_all_tokens_is_written_in_one_way_only() -> None:
    """'Some selected', and then all of them: the sender does not write that, so it is damage."""
    some = a_map((Run(TokenState.UNSELECTED, 64),), 0)
    payload, n_bits = index_map.encode(some)
    bits = "".join(f"{byte:08b}" for byte in payload)
    assert n_bits == 58
    assert bits[32:42] == "00" + "0" + "0000000"
    crafted = bits[:35] + f"{64:07b}" + bits[42:]
    with pytest.raises(IndexMapError, match="64 of 64 image tokens selected"):
        index_map.decode(int(crafted, 2).to_bytes(len(payload), "big"), 64)


def test_an_image_in_the_cache_is_named_by_its_slot_and_version() -> None:
    slot = Slot(5, 4_000)
    known = runs_of([*index_map.known_positions(64), *((TokenState.PRIVATE, i) for i in range(12))])
    original = replace(a_map(known, 12), cached=slot)
    payload, n_bits = index_map.encode(original)
    # 32 control + (1 cached + 4 slot + 12 version) + 1 whole words + (2 state + 1 to the last + 1 continues)
    # + 16 CRC
    assert n_bits == 32 + 17 + 1 + 4 + 16
    read = index_map.decode(payload, 64)
    assert (read.cached, read.keep) == (slot, None)
    assert read.positions() == original.positions()
    with pytest.raises(IndexMapError, match="known positions only"):
        index_map.encode(replace(a_map((Run(TokenState.PUBLIC, 64),), 0), cached=slot))


def test_an_image_to_keep_says_where() -> None:
    slot = Slot(15, 1)
    original = replace(a_map((Run(TokenState.PUBLIC, 64, 0),), 0), keep=slot)
    read = index_map.decode(index_map.encode(original)[0], 64)
    assert (read.cached, read.keep) == (None, slot)
    with pytest.raises(ValueError, match="slot 16, version 0"):
        Slot(16, 0)


def test_eighths_that_there_are_not_do_not_fit() -> None:
    for prefixes in (Prefixes(image=9), Prefixes(text=0)):
        with pytest.raises(IndexMapError, match=r"[90] eighths"):
            index_map.encode(replace(a_map((), 0, has_image=False), prefixes=prefixes))


def test_a_part_of_each_word_costs_three_bits_and_whole_ones_are_written_in_one_way_only() -> None:
    words = a_map((Run(TokenState.PRIVATE, 12, 0),), 12, has_image=False)
    half = replace(words, prefixes=Prefixes(text=4))
    payload, n_bits = index_map.encode(half)
    assert n_bits == index_map.encode(words)[1] + 3
    assert index_map.decode(payload, IMAGE_TOKENS).prefixes == Prefixes(text=4)
    bits = "".join(f"{byte:08b}" for byte in payload)
    assert bits[32:36] == "0011"
    crafted = int(bits[:32] + "0111" + bits[36:], 2).to_bytes(len(payload), "big")
    with pytest.raises(IndexMapError, match="and then all of it"):
        index_map.decode(crafted, IMAGE_TOKENS)


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
