"""From received frames to an answer: the UE's stages in order.

equalise -> reassemble -> channel decode -> decode. Runs as one job off the network loop. What arrives may
be damaged in any way: the result says so (`degraded`, `failed` with a reason), it never raises for it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared import index_map
from shared.config import RunConfig
from shared.index_map import IndexMapError
from shared.semantic.receiver import SemanticReceiver
from shared.token_digest import token_digest
from shared.wire.errors import ProtocolError
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols, equalise_frame
from userequipment.decode import answer, channel_decode, image_of
from userequipment.reassemble import Position, reassemble


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out. `status`: ok, degraded (some sent tokens were lost) or failed (no answer)."""

    status: str
    reason: str
    text: str
    token_ids: tuple[int, ...]
    control_text: str | None
    erased_tokens: int
    digest: str
    stage_ms: dict[str, float]


class RequestPipeline:
    """The receiver half of the M4SC scheme."""

    def __init__(
        self, config: RunConfig, receiver: SemanticReceiver, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._config = config
        self._receiver = receiver
        self._clock = clock

    def run(self, side: SideInfo, frames: Mapping[int, SymbolFrame], air: Air) -> Decoded:
        """`frames` holds what arrived, by frame_id; what `side` names beyond that is lost."""
        marks = [self._clock()]
        try:
            indices = index_map.decode(side.payload, self._receiver.image_length)
            tokens = _tokens(frames, air)
            marks.append(self._clock())
            positions = reassemble(indices, tokens, _sent(side))
            marks.append(self._clock())
        except IndexMapError as error:
            return _failed(f"bad_index_map: {error}")
        vectors_ND = channel_decode(positions, self._receiver)
        marks.append(self._clock())
        said = answer(indices, positions, vectors_ND, self._receiver, trace=self._config.reasoning)
        marks.append(self._clock())
        control = None
        if self._config.control == "image_erased" and indices.has_image:
            erased = image_of(indices, positions, vectors_ND, erased=True)
            trace = self._config.reasoning
            control = answer(indices, positions, vectors_ND, self._receiver, erased, trace).text
        lost = _lost(positions)
        stages = ("equalise", "reassemble", "channel_decode", "decode")
        return Decoded(
            status="degraded" if lost else "ok",
            reason=f"{lost} tokens lost" if lost else "",
            text=said.text,
            token_ids=tuple(said.token_ids),
            control_text=control,
            erased_tokens=lost,
            digest=token_digest(side.group_id, [(p.state, p.reference) for p in positions]),
            stage_ms={s: 1e3 * (b - a) for s, a, b in zip(stages, marks, marks[1:], strict=False)},
        )


def _sent(side: SideInfo) -> list[tuple[str, range]]:
    return [
        ("private" if private else "public", range(first, first + count))
        for _, private, first, count in side.frames
    ]


def _tokens(frames: Mapping[int, SymbolFrame], air: Air) -> dict[tuple[str, int], TokenSymbols]:
    """Every token that arrived intact, by (stream, place). A frame that cannot be read is a lost frame."""
    tokens: dict[tuple[str, int], TokenSymbols] = {}
    for frame in frames.values():
        try:
            arrived = equalise_frame(frame, air)
        except ProtocolError:
            continue  # its tokens stay absent, so the request is answered as degraded and says how many
        tokens.update({(frame.stream, place): token for place, token in arrived.items()})
    return tokens


def _lost(positions: list[Position]) -> int:
    return sum(p.token is None for p in positions if p.stream)


def _failed(reason: str) -> Decoded:
    return Decoded("failed", reason, "", (), None, 0, "", {})
