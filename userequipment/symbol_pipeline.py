"""The receiver half of schemes that send analog symbols in parts: frames to symbols to an answer.

What did not arrive is zeros with infinite noise. What a scheme makes of the symbols is its own affair.
Runs as one job off the network loop; damaged input shows in the result, it never raises for it.

Shapes: N tokens of a part, U channel uses (complex symbols) a token.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from shared import parts_map
from shared.config import RunConfig
from shared.parts_map import Part, PartsMapError
from shared.token_digest import token_digest
from shared.token_runs import TokenState
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.channel_decode import Air
from userequipment.combine import TokensOfFrame, combined_snr_db
from userequipment.pipeline import Decoded, Frames
from userequipment.side_copies import SideReader
from userequipment.take_apart import equalise_all
from userequipment.warm_up import warm_up_air

Place = tuple[int, int, int, int]
"""(frame_id, stream 0 public / 1 private, first token, tokens)."""
STAGES = ("equalise", "decode")


@dataclass(frozen=True, slots=True)
class Heard:
    """A part as received: equalised symbols complex64 [N, U], and the noise variance of each, float32."""

    symbols_NU: np.ndarray
    noise_variance_NU: np.ndarray
    lost: int
    """Tokens that did not arrive."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the parts: an image has `patches` tokens of up to `uses_per_patch`; a text up to `words` tokens."""

    uses_per_word: int
    words: int
    patches: int = 0
    uses_per_patch: int = 0

    def of_content(self, length: int) -> tuple[int, int]:
        """(tokens, uses a token) of an image of so many channel uses. Raises `PartsMapError`."""
        uses = length // self.patches if self.patches else 0
        if uses * self.patches != length or not 1 <= uses <= self.uses_per_patch:
            raise PartsMapError(f"an image of {length} channel uses, expected a multiple of {self.patches}")
        return self.patches, uses

    def of_text(self, length: int) -> tuple[int, int]:
        """(tokens, uses a token) of a text of so many channel uses. Raises `PartsMapError`."""
        words = length // self.uses_per_word
        if words * self.uses_per_word != length or not 1 <= words <= self.words:
            raise PartsMapError(f"a text of {length} channel uses, expected {self.uses_per_word} a word")
        return words, self.uses_per_word


class Scheme(Protocol):
    """What distinguishes one scheme that sends symbols from another."""

    @property
    def sizes(self) -> Sizes: ...

    def answer(self, content: Heard | None, text: Heard) -> str: ...

    def warm_up(self) -> None: ...


class SymbolPipeline:
    """`scheme` answers; the control `image_erased` is the answer to the text with nothing of the image."""

    def __init__(
        self,
        config: RunConfig,
        fingerprint: str,
        scheme: Scheme,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fingerprint = fingerprint
        self.combines = config.retransmission.least_snr_db is not None
        self._config = config
        self._scheme = scheme
        self._clock = clock
        self._sides = SideReader(parts_map.decode)

    def warm_up(self, snr_db: float) -> None:
        self._scheme.warm_up()
        warm_up_air(self._config.channel, snr_db, coded=False)

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None:
        return self._sides.open(side, air)

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float:
        """The SNR in dB that copies of one frame have together."""
        return combined_snr_db(copies, air)

    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded:
        """`frames` holds what arrived; what `side` names beyond that is lost."""
        marks = [self._clock()]
        try:
            parts = parts_map.decode(side.payload)
            content_shape, text_shape = self._shapes(side, parts)
            content_at, text_at = _places(
                side.frames, (parts.content, content_shape), (parts.text, text_shape)
            )
        except PartsMapError as error:
            return _failed(f"bad_parts_map: {error}")
        streams = {frame_id: copies[0].stream for frame_id, copies in frames.items()}
        arrived = {(streams[number], number): found for number, found in equalise_all(frames, air).items()}
        content = None if content_shape is None else _heard(content_at, content_shape, arrived)
        text = _heard(text_at, text_shape, arrived)
        marks.append(self._clock())
        said = self._scheme.answer(content, text)
        control = None
        if content is not None and self._config.control == "image_erased":
            control = self._scheme.answer(_nothing_of(content), text)
        marks.append(self._clock())
        lost = text.lost + (content.lost if content is not None else 0)
        places = [*content_at, *text_at]
        return Decoded(
            status="degraded" if lost else "ok",
            reason=f"{lost} tokens lost" if lost else "",
            text=said,
            token_ids=(),
            control_text=control,
            erased_tokens=lost,
            digest=_digest(side.group_id, places),
            stage_ms={s: 1e3 * (b - a) for s, (a, b) in zip(STAGES, pairwise(marks), strict=True)},
            sent_tokens=sum(tokens for *_, tokens in places),
        )

    def _shapes(
        self, side: SideInfo, parts: parts_map.PartsMap
    ) -> tuple[tuple[int, int] | None, tuple[int, int]]:
        """Of image and text. Raises `PartsMapError`."""
        if parts.question_at_ue or side.questions_of is not None:
            raise PartsMapError("the question is asked here, which this scheme cannot do")
        if parts.text is None:
            raise PartsMapError("there is no text")
        sizes = self._scheme.sizes
        content = None if parts.content is None else sizes.of_content(parts.content.length)
        return content, sizes.of_text(parts.text.length)


def _places(
    named: Sequence[Place], *parts: tuple[Part | None, tuple[int, int] | None]
) -> list[Sequence[Place]]:
    """Of what the message names, the frames of each part. Raises `PartsMapError` where they do not fit."""
    found: list[Sequence[Place]] = []
    for part, shape in parts:
        places: list[Place] = []
        left = 0 if shape is None else shape[0]
        while part is not None and left > 0 and named and named[0][1] == int(part.private):
            left -= named[0][3]
            places.append(named[0])
            named = named[1:]
        if left:
            raise PartsMapError("the frames that the message names do not make up its parts")
        found.append(places)
    if named:
        raise PartsMapError(f"{len(named)} frames more than its parts have")
    return found


def _heard(
    places: Sequence[Place],
    shape_NU: tuple[int, int],
    frames: Mapping[tuple[str, int], TokensOfFrame],
) -> Heard:
    """A part, token by token; one that did not arrive, or with other channel uses, is zeros.

    `frames` has what arrived by (stream, frame_id).
    """
    symbols_NU = np.zeros(shape_NU, np.complex64)
    noise_NU = np.full(shape_NU, np.inf, np.float32)
    arrived, row = 0, 0
    for frame_id, private, first, tokens in places:
        found = frames.get(("private" if private else "public", frame_id), {})
        for place in range(first, first + tokens):
            token = found.get(place)
            if token is not None and len(token.symbols_U) == shape_NU[1]:
                symbols_NU[row], noise_NU[row] = token.symbols_U, token.noise_variance_U
                arrived += 1
            row += 1
    return Heard(symbols_NU, noise_NU, shape_NU[0] - arrived)


def _nothing_of(part: Heard) -> Heard:
    return Heard(
        np.zeros_like(part.symbols_NU), np.full_like(part.noise_variance_NU, np.inf), len(part.symbols_NU)
    )


def _digest(group_id: int, places: Sequence[Place]) -> str:
    """Of the place of every token in its stream."""
    return token_digest(
        group_id,
        (
            (TokenState.PRIVATE if private else TokenState.PUBLIC, first + token)
            for _, private, first, tokens in places
            for token in range(tokens)
        ),
    )


def _failed(reason: str) -> Decoded:
    return Decoded("failed", reason, "", (), None, 0, "", {})
