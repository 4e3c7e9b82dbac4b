"""Decode: reassembled tokens to an answer, by this UE's own replica."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from shared.air.power import amplitude_of
from shared.index_map import IndexMap
from shared.semantic.codec import STREAMS
from shared.semantic.receiver import Answer, AnswerRequest, SemanticReceiver, State
from shared.token_runs import TokenState
from userequipment.image_cache import KeptImage
from userequipment.reassemble import Position

TOKEN_STATES: dict[TokenState, State] = {
    TokenState.PUBLIC: "received",
    TokenState.PRIVATE: "received",
    TokenState.ERASED: "erased",
    TokenState.UNSELECTED: "unselected",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An image as the receiver has it: token vectors [N, D] and their states."""

    tokens_ND: torch.Tensor
    states: Sequence[State]


def image_of(index_map: IndexMap, positions: Sequence[Position], tokens_ND: torch.Tensor) -> Seen:
    """The image that came with a request."""
    n_image = len(positions) - index_map.text_tokens
    return Seen(tokens_ND[:n_image], [TOKEN_STATES[p.state] for p in positions[:n_image]])


def known_image(kept: KeptImage) -> Seen:
    """An image of the cache."""
    return Seen(kept.tokens_ND, kept.states)


def received_snr_db(positions: Sequence[Position]) -> float:
    """Average Es/N0 after equalisation of what was received for some positions; infinite without noise."""
    noise = [p.token.noise_variance_U for p in positions if p.token is not None]
    level = float(np.mean(np.concatenate(noise))) if noise else 0.0
    return -10.0 * math.log10(level) if level > 0.0 else math.inf


def channel_decode(
    positions: Sequence[Position], receiver: SemanticReceiver, amplitudes: Sequence[int]
) -> torch.Tensor:
    """Token vectors [N, D] in sequence order; rows of positions without symbols are zero.

    `amplitudes` are the index map's: dividing by one leaves noise of variance N0 / amplitude^2. Of channel
    uses that were not sent the noise is infinite.
    """
    uses = receiver.uses_per_token
    tokens_ND = torch.zeros(len(positions), receiver.width)
    for stream, code in zip(STREAMS, amplitudes, strict=True):
        amplitude = np.float32(amplitude_of(code))
        rows = [i for i, p in enumerate(positions) if p.stream == stream and p.token is not None]
        if not rows:
            continue
        arrived = [p.token for p in positions if p.stream == stream and p.token is not None]
        tokens_ND[rows] = (
            receiver.channel_decode(
                np.stack([_filled(t.symbols_U, uses, 0.0) for t in arrived]) / amplitude,
                np.stack([_filled(t.noise_variance_U, uses, np.inf) for t in arrived]) / amplitude**2,
                stream,
            )
            .float()
            .cpu()
        )
    return tokens_ND


def _filled(prefix_P: np.ndarray, uses: int, value: float) -> np.ndarray:
    """A token's whole row, [U]."""
    row_U = np.full(uses, value, prefix_P.dtype)
    row_U[: len(prefix_P)] = prefix_P
    return row_U


def answers(
    index_map: IndexMap,
    positions: Sequence[Position],
    tokens_ND: torch.Tensor,
    receiver: SemanticReceiver,
    questions: Sequence[str] | None,
    seen: Seen,
    trace: bool = True,
    max_new_tokens: int | None = None,
) -> list[Answer]:
    """Greedy answers: one to each of the `questions` asked here, or (None) the one to the text that was sent.

    `seen` is the image: as it was sent, as it was kept, or without its tokens. `max_new_tokens` None: the
    bundle's limit.
    """
    n_image = len(positions) - index_map.text_tokens
    states: list[State] = [TOKEN_STATES[p.state] for p in positions[n_image:]]
    request = AnswerRequest(
        task=index_map.task,
        image_tokens=seen.tokens_ND if index_map.has_image else None,
        image_state=seen.states,
        trace=trace,
        text_tokens=tokens_ND[n_image:],
        text_state=states,
        question_at="bs" if questions is None else "ue",
        max_new_tokens=max_new_tokens,
    )
    return [receiver.answer(request)] if questions is None else receiver.answer_each(request, questions)
