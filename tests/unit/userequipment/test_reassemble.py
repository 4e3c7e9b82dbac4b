"""Tokens come back in order; what did not arrive is erased; a map that points nowhere is refused."""

import numpy as np
import pytest

from shared.index_map import IndexMap, IndexMapError, Run, TokenState
from userequipment.channel_decode import TokenSymbols
from userequipment.reassemble import reassemble

TOKEN = TokenSymbols(np.zeros(4, np.complex64), 0.1)
SENT = [("public", range(0, 4)), ("private", range(0, 2))]


def a_map(*runs: Run) -> IndexMap:
    return IndexMap("vqa", True, False, 2, 16, runs)


def test_tokens_of_both_streams_take_their_places() -> None:
    tokens = {("public", i): TokenSymbols(np.full(4, i, np.complex64), 0.0) for i in range(4)}
    tokens |= {("private", i): TokenSymbols(np.full(4, 10 + i, np.complex64), 0.0) for i in range(2)}
    positions = reassemble(
        a_map(Run(TokenState.PUBLIC, 2, 2), Run(TokenState.PRIVATE, 2, 0), Run(TokenState.PUBLIC, 1, 0)),
        tokens,
        SENT,
    )
    assert [p.token.symbols_U[0].real for p in positions if p.token] == [2, 3, 10, 11, 0]


def test_a_lost_token_is_erased_and_an_unselected_one_is_not_lost() -> None:
    positions = reassemble(
        a_map(Run(TokenState.PUBLIC, 2, 0), Run(TokenState.UNSELECTED, 1), Run(TokenState.PRIVATE, 1, 0)),
        {("public", 0): TOKEN},
        SENT,
    )
    assert [p.state for p in positions] == [
        TokenState.PUBLIC,
        TokenState.ERASED,
        TokenState.UNSELECTED,
        TokenState.ERASED,
    ]
    assert [bool(p.stream) for p in positions] == [True, True, False, True]


@pytest.mark.parametrize(
    "run", [Run(TokenState.PUBLIC, 1, 4), Run(TokenState.PRIVATE, 3, 0), Run(TokenState.KNOWN, 1, 0)]
)
def test_a_map_that_points_nowhere_is_refused(run: Run) -> None:
    with pytest.raises(IndexMapError, match="map"):
        reassemble(a_map(run), {}, SENT)
