"""From received frames to an answer: the UE's stages in order.

equalise -> reassemble -> channel decode -> decode. Runs as one job off the network loop. What arrives
may be damaged in any way: the result says so (`degraded`, `failed` with a reason), it never raises for it.
The questions asked here all see the image as it was received once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Final

from shared import index_map
from shared.config import RunConfig
from shared.index_map import IndexMap, IndexMapError
from shared.semantic.receiver import SemanticReceiver
from shared.semantic_cache import identity_of
from shared.token_digest import token_digest
from shared.token_layout import layout_text
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.channel_decode import Air, TokenSymbols
from userequipment.combine import combined_snr_db
from userequipment.decode import Seen, answers, channel_decode, image_of, known_image, received_snr_db
from userequipment.image_cache import ImageCache
from userequipment.questions import QuestionError, known_questions
from userequipment.reassemble import Position, reassemble
from userequipment.side_copies import SideReader
from userequipment.take_apart import equalise_all
from userequipment.warm_up import warm_up_air, warm_up_receiver

Frames = Mapping[int, Sequence[SymbolFrame]]
"""The copies of each frame that arrived, by frame_id."""
_READ_MAPS: Final = 64
CACHE_MISS = "cache_miss"
"""The map refers to an image that is not here."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out. `status`: ok, degraded (some sent tokens were lost), failed (no answer) or `CACHE_MISS`.

    `later` has (text, control_text) of every question asked here but the first. `kept`: the image is in the
    cache. `sent_tokens`: how many were sent for this request; `erased_tokens` of them are lost. `layout`: the
    image tokens as received (`shared.token_layout`).
    """

    status: str
    reason: str
    text: str
    token_ids: tuple[int, ...]
    control_text: str | None
    erased_tokens: int
    digest: str
    stage_ms: dict[str, float]
    later: tuple[tuple[str, str | None], ...] = ()
    kept: bool = False
    sent_tokens: int = 0
    layout: str = ""


class RequestPipeline:
    """The receiver half of the M4SC scheme. `questions`: those its user asks here, by workload index."""

    def __init__(
        self,
        config: RunConfig,
        receiver: SemanticReceiver,
        clock: Callable[[], float] = time.perf_counter,
        questions: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        self._config = config
        self._receiver = receiver
        self._clock = clock
        self._questions = questions
        self._cache = ImageCache()
        self._read = lru_cache(_READ_MAPS)(partial(index_map.decode, image_tokens=receiver.image_length))
        self._sides = SideReader(self._map_of)
        self.fingerprint = receiver.fingerprint
        digital = config.channel.mode == "digital"
        self.combines = digital or config.retransmission.least_snr_db is not None

    def warm_up(self, snr_db: float) -> None:
        """One answer, and one of each kind of code word, at the user's SNR."""
        warm_up_receiver(self._receiver)
        warm_up_air(self._config.channel, snr_db, self._config.channel.mode == "digital")

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float:
        """The SNR in dB that copies of one frame have together."""
        return combined_snr_db(copies, air)

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None:
        return self._sides.open(side, air)

    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded:
        """`frames` holds what arrived; what `side` names beyond that is lost."""
        marks = [self._clock()]
        try:
            indices = self._map_of(side.payload)
            asked = self._asked_here(side, indices)
            tokens = _tokens(frames, air)
            marks.append(self._clock())
            positions = reassemble(indices, tokens, _sent(side), self._receiver.uses_per_token)
            marks.append(self._clock())
        except IndexMapError as error:
            return _failed(f"bad_index_map: {error}")
        except QuestionError as error:
            return _failed(str(error))
        vectors_ND = channel_decode(positions, self._receiver, indices.amplitudes)
        known = None if indices.cached is None else self._cache.find(indices.cached)
        if indices.cached is not None and known is None:
            return Decoded(CACHE_MISS, "", "", (), None, 0, "", {})
        seen = image_of(indices, positions, vectors_ND) if known is None else known_image(known)
        kept = self._keep(side, indices, positions, seen, air)
        marks.append(self._clock())
        trace, most = self._config.reasoning, self._config.max_new_tokens
        said = answers(indices, positions, vectors_ND, self._receiver, asked, seen, trace, most)
        marks.append(self._clock())
        controls: list[str | None] = [None] * len(said)
        if self._config.control == "image_erased" and indices.has_image:
            erased = Seen(seen.tokens_ND, ["erased"] * len(seen.states))
            blind = answers(indices, positions, vectors_ND, self._receiver, asked, erased, trace, most)
            controls = [answer.text for answer in blind]
            marks.append(self._clock())
        lost = _lost(positions)
        stages = ("equalise", "reassemble", "channel_decode", "decode", "control")
        return Decoded(
            status="degraded" if lost else "ok",
            reason=f"{lost} tokens lost" if lost else "",
            text=said[0].text,
            token_ids=tuple(said[0].token_ids),
            control_text=controls[0],
            erased_tokens=lost,
            digest=token_digest(
                side.group_id,
                [(p.state, p.reference) for p in positions],
                "" if known is None else known.identity,
            ),
            stage_ms={s: 1e3 * (b - a) for s, a, b in zip(stages, marks, marks[1:], strict=False)},
            later=tuple(zip((answer.text for answer in said[1:]), controls[1:], strict=True)),
            kept=kept,
            sent_tokens=sum(bool(p.stream) for p in positions),
            layout=layout_text(p.state for p in positions[: len(seen.states)]),
        )

    def _map_of(self, payload: bytes | memoryview) -> IndexMap:
        """Asked at the door, and again for the decoding: it is read once. Raises `IndexMapError`."""
        return self._read(bytes(payload))

    def _keep(
        self, side: SideInfo, indices: IndexMap, positions: list[Position], seen: Seen, air: Air
    ) -> bool:
        """Put an image that came whole, and not in a fade, where the map says."""
        if indices.keep is None:
            return False
        image = positions[: len(seen.states)]
        snr_db = received_snr_db(image)
        if _lost(image) or snr_db < air.snr_db - self._config.cache.max_fade_db:
            return False
        identity = identity_of(side.group_id, side.request_id)
        self._cache.keep(indices.keep, identity, seen.tokens_ND, seen.states, snr_db)
        return True

    def _asked_here(self, side: SideInfo, indices: IndexMap) -> tuple[str, ...] | None:
        """The questions of this UE's own that the request is for; None when the text was sent.

        Raises:
            IndexMapError: what crossed the air contradicts itself or the message around it.
            QuestionError: there are none, or one is longer than the bundle accepts.
        """
        if indices.question_at_ue != (side.questions_of is not None):
            raise IndexMapError("the map and its message disagree on where the question is asked")
        if side.questions_of is None:
            return None
        if indices.text_tokens:
            raise IndexMapError(f"{indices.text_tokens} text tokens, but the question is asked at the UE")
        return known_questions(self._questions, side.questions_of, self._receiver.prompts)


def _sent(side: SideInfo) -> list[tuple[str, range]]:
    return [
        ("private" if private else "public", range(first, first + count))
        for _, private, first, count in side.frames
    ]


def _tokens(frames: Frames, air: Air) -> dict[tuple[str, int], TokenSymbols]:
    """Every token that arrived intact, by (stream, place).

    A frame that cannot be read is a lost frame: its tokens stay absent, so the request is answered as
    degraded and says how many.
    """
    return {
        (frames[frame_id][0].stream, place): token
        for frame_id, arrived in equalise_all(frames, air).items()
        for place, token in arrived.items()
    }


def _lost(positions: list[Position]) -> int:
    return sum(p.token is None for p in positions if p.stream)


def _failed(reason: str) -> Decoded:
    return Decoded("failed", reason, "", (), None, 0, "", {})
