"""Reassemble: the tokens of both streams back in sequence order, lost ones marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.index_map import IndexMap, IndexMapError, TokenState
from userequipment.channel_decode import TokenSymbols

STREAM_OF = {TokenState.PUBLIC: "public", TokenState.PRIVATE: "private"}


@dataclass(frozen=True, slots=True)
class Position:
    """One place of the sequence: its state after reception, and its symbols if they arrived.

    A sent token that did not arrive is `ERASED`; `stream` names the codec that coded it.
    """

    state: TokenState
    reference: int
    stream: str
    token: TokenSymbols | None


def reassemble(
    index_map: IndexMap, tokens: dict[tuple[str, int], TokenSymbols], sent: Iterable[tuple[str, range]]
) -> list[Position]:
    """Positions in sequence order.

    `tokens` maps (stream, place in the stream) to what arrived; `sent` lists the (stream, places) of the
    frames that the sender named. Raises `IndexMapError` for a map that points at a token of no such frame.
    """
    known_places = {(stream, place) for stream, places in sent for place in places}
    result = []
    for state, reference in index_map.positions():
        stream = STREAM_OF.get(state, "")
        if state is TokenState.KNOWN:
            raise IndexMapError("the map refers to a semantic cache, and there is none")
        if stream and (stream, reference) not in known_places:
            raise IndexMapError(f"the map points at {stream} token {reference}, which no frame carries")
        token = tokens.get((stream, reference))
        lost = bool(stream) and token is None
        result.append(Position(TokenState.ERASED if lost else state, reference, stream, token))
    return result
