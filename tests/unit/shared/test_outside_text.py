"""Text from outside is read in one way and quoted on one line."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outside_text import MAX_LINE_CHARS, lines_of, one_line, parse_json, shown
from tests.unit.shared.samples import json_values


@given(st.text(st.characters()), st.integers(0, 300))
def test_anything_becomes_one_line(text: str, at_most: int) -> None:
    line = one_line(text, at_most)
    assert line.isprintable()
    assert len(line) <= at_most


def test_what_can_be_printed_stays_as_it_is() -> None:
    assert one_line("zwei\n  Würfel\t□") == "zwei Würfel □"
    assert one_line("\x1b[2J \ud800") == "\\x1b[2J \\ud800"


@given(json_values())
def test_any_value_is_shown_on_one_line(value: object) -> None:
    assert shown(value).isprintable()
    assert 0 < len(shown(value)) <= 40


def test_what_python_cannot_write_is_shown_by_its_type() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "list too large to show"
    assert shown(16**4_000) == "int too large to show"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "", "{", b"\xff\xfe"])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_lines_are_bounded() -> None:
    longest = "x" * (MAX_LINE_CHARS - 1) + "\n"
    assert list(lines_of(io.StringIO(longest + "\nlast"))) == [longest, "\n", "last"]
    with pytest.raises(ValueError, match="line 2: expected at most 1048576 characters"):
        list(lines_of(io.StringIO("first\n" + "x" + longest)))
    with open("/dev/zero", encoding="utf-8") as endless, pytest.raises(ValueError, match="line 1: "):
        next(lines_of(endless))
