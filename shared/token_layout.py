"""What became of each image token of a request, as short text for the journal: runs of one state.

'64D3P33V': 64 tokens that were not sent (dropped), 3 public, 33 private, in raster order. K is known to the
receiver (cached), E erased: as the sender tells it, marked by the erasure vector; as the receiver does, lost.
"""

import re
from collections.abc import Iterable
from itertools import groupby

from shared.token_runs import TokenState

MAX_TOKENS = 65_536
_LETTER_OF = {
    TokenState.PUBLIC: "P",
    TokenState.PRIVATE: "V",
    TokenState.KNOWN: "K",
    TokenState.ERASED: "E",
    TokenState.UNSELECTED: "D",
}
_STATE_OF = {letter: state for state, letter in _LETTER_OF.items()}
_RUN = re.compile(r"([1-9][0-9]{0,4})([PVKED])")


def layout_text(states: Iterable[TokenState]) -> str:
    """The states in raster order as text; nothing for none."""
    return "".join(f"{sum(1 for _ in run)}{_LETTER_OF[state]}" for state, run in groupby(states))


def parse_layout(text: str) -> tuple[TokenState, ...]:
    """Inverse of `layout_text`. Raises ValueError for other text, or more than `MAX_TOKENS` tokens."""
    states: list[TokenState] = []
    place = 0
    while place < len(text):
        run = _RUN.match(text, place)
        if run is None or len(states) + int(run[1]) > MAX_TOKENS:
            raise ValueError(f"token layout: expected runs like 64D3P33V, received {text[:80]!r}")
        states += [_STATE_OF[run[2]]] * int(run[1])
        place = run.end()
    return tuple(states)
