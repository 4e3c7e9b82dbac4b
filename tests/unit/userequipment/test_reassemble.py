"""Tokens come back in order; what did not arrive is erased; a map that points nowhere is refused."""

from dataclasses import replace

import numpy as np
import pytest

from shared.index_map import IndexMap, IndexMapError
from shared.rate import Prefixes
from shared.token_runs import Run, TokenState
from userequipment.channel_decode import TokenSymbols
from userequipment.reassemble import reassemble

USES = 4


def token_of(value: float, uses: int = USES) -> TokenSymbols:
    return TokenSymbols(np.full(uses, value, np.complex64), np.full(uses, 0.1, np.float32))


SENT = [("public", range(0, 4)), ("private", range(0, 2))]


def a_map(*runs: Run) -> IndexMap:
    return IndexMap("vqa", True, False, 2, (64, 64), runs)


def test_tokens_of_both_streams_take_their_places() -> None:
    tokens = {("public", i): token_of(i) for i in range(4)}
    tokens |= {("private", i): token_of(10 + i) for i in range(2)}
    positions = reassemble(
        a_map(Run(TokenState.PUBLIC, 2, 2), Run(TokenState.PRIVATE, 2, 0), Run(TokenState.PUBLIC, 1, 0)),
        tokens,
        SENT,
        USES,
    )
    assert [p.token.symbols_U[0].real for p in positions if p.token] == [2, 3, 10, 11, 0]


def test_a_lost_token_is_erased_and_an_unselected_one_is_not_lost() -> None:
    positions = reassemble(
        a_map(Run(TokenState.PUBLIC, 2, 0), Run(TokenState.UNSELECTED, 1), Run(TokenState.PRIVATE, 1, 0)),
        {("public", 0): token_of(0)},
        SENT,
        USES,
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
        reassemble(a_map(run), {}, SENT, USES)


def test_a_token_that_came_with_other_channel_uses_than_the_map_says_is_lost() -> None:
    """Half of an image token's uses are sent, and all of a text token's, or three quarters."""
    half = replace(a_map(Run(TokenState.PUBLIC, 3, 0), Run(TokenState.PRIVATE, 2, 0)), prefixes=Prefixes(4))
    tokens = {("public", 0): token_of(0, 2), ("public", 1): token_of(1, 4), ("public", 2): token_of(2, 3)}
    tokens |= {("private", 0): token_of(3, 4), ("private", 1): token_of(4, 2)}
    positions = reassemble(half, tokens, SENT, USES)
    assert [p.state is TokenState.ERASED for p in positions] == [False, True, True, False, True]
    less = replace(half, prefixes=Prefixes(4, 6))
    tokens |= {("private", 0): token_of(3, 3), ("private", 1): token_of(4, 4)}
    positions = reassemble(less, tokens, SENT, USES)
    assert [p.state is TokenState.ERASED for p in positions] == [False, True, True, False, True]
