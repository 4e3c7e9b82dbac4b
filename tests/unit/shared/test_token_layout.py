"""Token layouts: text and states are each other's inverse, and other text is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.token_layout import layout_text, parse_layout
from shared.token_runs import TokenState


@given(st.lists(st.sampled_from(list(TokenState)), max_size=300))
def test_a_layout_is_read_back(states: list[TokenState]) -> None:
    assert list(parse_layout(layout_text(states))) == states


def test_runs_are_short_text() -> None:
    states = [TokenState.UNSELECTED] * 64 + [TokenState.PUBLIC] * 3 + [TokenState.PRIVATE] * 33
    assert layout_text(states) == "64D3P33V"


@pytest.mark.parametrize("text", ["D", "0P", "3", "3Q", "3P ", " 3P", "-1P", "99999P", "60000P60000P"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="token layout: expected runs"):
        parse_layout(text)
