"""Reassemble: the tokens of both streams back in sequence order, lost ones marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.index_map import IndexMap, IndexMapError
from shared.token_runs import TokenState
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
    index_map: IndexMap,
    tokens: dict[tuple[str, int], TokenSymbols],
    sent: Iterable[tuple[str, range]],
    uses_per_token: int,
) -> list[Position]:
    """Positions in sequence order.

    `tokens` maps (stream, place in the stream) to what arrived; `sent` lists the (stream, places) of the
    frames that the sender named. A token that came with other channel uses than the map says is lost. Raises
    `IndexMapError` for a map that points at a token of no such frame.
    """
    positions = index_map.positions()
    image_tokens = len(positions) - index_map.text_tokens
    image_uses = index_map.prefixes.uses("image", uses_per_token)
    text_uses = index_map.prefixes.uses("text", uses_per_token)
    known_places = {(stream, place) for stream, places in sent for place in places}
    result = []
    for place, (state, reference) in enumerate(positions):
        stream = STREAM_OF.get(state, "")
        if state is TokenState.KNOWN and (index_map.cached is None or place >= image_tokens):
            raise IndexMapError("the map refers to what no cache holds")
        if stream and (stream, reference) not in known_places:
            raise IndexMapError(f"the map points at {stream} token {reference}, which no frame carries")
        token = tokens.get((stream, reference))
        expected = image_uses if place < image_tokens else text_uses
        if token is not None and len(token.symbols_U) != expected:
            token = None
        lost = bool(stream) and token is None
        result.append(Position(TokenState.ERASED if lost else state, reference, stream, token))
    return result
