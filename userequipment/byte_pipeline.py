"""The receiver half of schemes that send bytes: blocks to parts, parts to an answer.

What a scheme makes of the parts is its own affair. Nothing is guessed: a part is there as a whole or it is
lost. Runs as one job off the network loop; damaged input shows in the result, it never raises for it.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared import parts_map
from shared.air import byte_blocks
from shared.config import RunConfig
from shared.parts_map import Part, PartsMapError
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from shared.text_code import TextCodeError
from shared.texts import unpack
from shared.token_digest import bytes_digest
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.block_reader import BlockReader
from userequipment.channel_decode import Air
from userequipment.half import Questions
from userequipment.pipeline import Decoded, Frames
from userequipment.questions import QuestionError, known_questions
from userequipment.side_copies import SideReader
from userequipment.warm_up import warm_up_air

Place = tuple[int, int, int, int]
STAGES = ("bits", "decode")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request's parts; one that it has and that is None was lost. `questions`: those asked here."""

    task: str
    has_content: bool
    content: bytes | None
    text: bytes | None
    questions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to each question, and its control; `token_ids` are the first one's.

    `missing`: what the answers had to do without, in words for the journal.
    """

    texts: Sequence[str]
    controls: Sequence[str | None]
    token_ids: Sequence[int] = ()
    missing: str = ""


class Unanswerable(ValueError):
    """There is no answer to what arrived; one line."""


def text_of(part: bytes, codec: TextCodec) -> str:
    """Raises `Unanswerable` for bytes that are no text."""
    try:
        return unpack(part, codec)
    except TextCodeError as error:
        raise Unanswerable(f"text: {error}") from None


def question_of(arrived: Arrived, codec: TextCodec) -> str:
    """What a request asks; empty where it asks nothing, or the question is one of this UE's own."""
    return "" if arrived.text is None else text_of(arrived.text, codec)


class Scheme(Protocol):
    """What distinguishes one scheme that sends bytes from another."""

    def answer(self, arrived: Arrived) -> Said:
        """Raises `Unanswerable`."""

    def warm_up(self) -> None: ...


class BytePipeline:
    """`questions`: those its user asks here, by workload index."""

    combines = True

    def __init__(
        self,
        config: RunConfig,
        fingerprint: str,
        scheme: Scheme,
        prompts: Prompts,
        questions: Questions,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fingerprint = fingerprint
        self._config = config
        self._scheme = scheme
        self._prompts = prompts
        self._questions = questions
        self._clock = clock
        self._blocks = BlockReader()
        self._sides = SideReader(parts_map.decode)

    def warm_up(self, snr_db: float) -> None:
        self._scheme.warm_up()
        warm_up_air(self._config.channel, snr_db, coded=True)

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None:
        return self._sides.open(side, air)

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float:
        """+inf where the block is right, else -inf."""
        return -math.inf if self._blocks.read(copies, air) is None else math.inf

    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded:
        """`frames` holds what arrived; what `side` names beyond that is lost."""
        marks = [self._clock()]
        try:
            parts = parts_map.decode(side.payload)
            content_at, text_at = _places(side.frames, parts.content, parts.text)
            asked = self._asked_here(side, parts.question_at_ue)
            content_blocks = [self._block(place, frames, air) for place in content_at]
            text_blocks = [self._block(place, frames, air) for place in text_at]
            content, text = _whole(parts.content, content_blocks), _whole(parts.text, text_blocks)
            marks.append(self._clock())
            arrived = Arrived(parts.task, parts.content is not None, content, text, asked)
            if parts.text is not None and text is None:
                raise Unanswerable(f"text lost: {_lost(text_blocks)}")
            said = self._scheme.answer(arrived)
        except PartsMapError as error:
            return _failed(f"bad_parts_map: {error}")
        except (QuestionError, Unanswerable) as error:
            return _failed(str(error))
        marks.append(self._clock())
        missing = said.missing
        if parts.content is not None and content is None:
            missing = f"content lost: {_lost(content_blocks)}"
        lost = sum(n for place in content_at for n in place[3:] if missing)
        return Decoded(
            status="degraded" if missing else "ok",
            reason=missing,
            text=said.texts[0],
            token_ids=tuple(said.token_ids),
            control_text=said.controls[0],
            erased_tokens=lost,
            digest=bytes_digest(side.group_id, content, text),
            stage_ms={s: 1e3 * (b - a) for s, a, b in zip(STAGES, marks, marks[1:], strict=False)},
            later=tuple(zip(said.texts[1:], said.controls[1:], strict=True)),
        )

    def _asked_here(self, side: SideInfo, at_ue: bool) -> tuple[str, ...] | None:
        """Raises `PartsMapError` where map and message disagree, and `QuestionError`."""
        if at_ue != (side.questions_of is not None):
            raise PartsMapError("the map and its message disagree on where the question is asked")
        if side.questions_of is None:
            return None
        return known_questions(self._questions, side.questions_of, self._prompts)

    def _block(self, place: Place, frames: Frames, air: Air) -> bytes | None:
        copies = frames.get(place[0])
        return None if copies is None else self._blocks.read(copies, air)


def _whole(part: Part | None, blocks: Sequence[bytes | None]) -> bytes | None:
    """A part's bytes; None where a block is lost, or there is none."""
    whole = b"".join(block for block in blocks if block is not None)
    return whole[: part.length] if part is not None and None not in blocks else None


def _lost(blocks: Sequence[bytes | None]) -> str:
    return f"{blocks.count(None)} of {len(blocks)} blocks"


def _places(named: Sequence[Place], *parts: Part | None) -> list[Sequence[Place]]:
    """Of what the message names, the blocks of each part. Raises `PartsMapError` where they do not fit."""
    found: list[Sequence[Place]] = []
    for part in parts:
        blocks, length = (0, 0) if part is None else byte_blocks.blocks_of(part.length)
        places, named = named[:blocks], named[blocks:]
        shape = [(int(part.private), length)] * blocks if part is not None else []
        if [(private, n_bytes) for _, private, _, n_bytes in places] != shape:
            raise PartsMapError(f"{len(places)} blocks that do not make up a part, expected {blocks}")
        found.append(places)
    if named:
        raise PartsMapError(f"{len(named)} blocks more than its parts have")
    return found


def _failed(reason: str) -> Decoded:
    return Decoded("failed", reason, "", (), None, 0, "", {})
