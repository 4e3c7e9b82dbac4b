"""Texts as few bytes: the smallest form is taken, and nothing that arrives raises anything but its error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import text_code
from shared.text_code import Coded, TextCodeError

VOCABULARY = 8_192


@given(st.text(max_size=200).filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t)))
def test_a_text_comes_back(text: str) -> None:
    assert text_code.decode(text_code.encode(text, None, VOCABULARY), VOCABULARY, 4_096) == Coded(text)


@given(st.lists(st.integers(0, VOCABULARY - 1), max_size=60), st.sampled_from([2, 100, 257, VOCABULARY]))
def test_token_ids_come_back(ids: list[int], vocabulary: int) -> None:
    ids = [i % vocabulary for i in ids]
    text = "ÿ" * 400  # longer than any of them
    found = text_code.decode(text_code.encode(text, ids, vocabulary), vocabulary, 4_096)
    assert found in (Coded(None, tuple(ids)), Coded(text))  # 400 equal letters deflate well


def test_the_smallest_form_is_taken() -> None:
    question = "are there any other things that are the same size as the ball?"
    ids = list(range(16))
    assert len(text_code.encode(question, ids, VOCABULARY)) == (5 + 16 * 13 + 7) // 8
    assert len(text_code.encode(question, None, VOCABULARY)) <= len(question) + 1
    review = "it was bad. " * 50
    assert len(text_code.encode(review, None, VOCABULARY)) < 40
    assert len(text_code.encode("a", [1, 2, 3], VOCABULARY)) == 2


@given(st.binary(max_size=300))
def test_bytes_that_are_no_text_say_so(data: bytes) -> None:
    try:
        found = text_code.decode(data, VOCABULARY, 100)
    except TextCodeError:
        return
    assert found.text is None or len(found.text) <= 100


def test_what_unfolds_too_far_is_refused() -> None:
    bomb = text_code.encode("a" * 4_000_000, None, VOCABULARY)
    assert len(bomb) < 5_000
    with pytest.raises(TextCodeError, match="too long"):
        text_code.decode(bomb, VOCABULARY, 4_096)
