"""Training of DeepSC on reviews: cross-entropy of their class, through the channel, all layers at once.

Shapes: B reviews, T words, A answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from launch.datasets.sample import Sample
from launch.training.deepsc.air import Air, draw_air, draw_lost, fixed_air, sent_of, through
from launch.training.loop import Phase, Rngs, row_rng, train
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.word_start import sentiment_start
from shared.deepsc.config import DeepscConfig
from shared.deepsc.text import DeepscText
from shared.rate import EIGHTHS
from shared.semantic.tokenizer import TextCodec

NAME: Final = "deepsc"
JUDGE_SNR_DB: Final = 10.0
DEV_REVIEWS: Final = 200
WORD_LOSS: Final = 0.15
"""The share of a review's words that are left out, anew every time."""
_JUDGE_SEED, _JUDGE_ROWS = 1_000_003, 16


class ReviewPool:
    """Reviews as token ids, cut to what is accepted, with the number of their answer."""

    def __init__(self, reviews: Sequence[Sample], codec: TextCodec, config: DeepscConfig) -> None:
        texts = (codec.shorten(review.text, config.text_tokens) for review in reviews)
        self.ids = [codec.encode(text) for text in texts]
        self.answers = [config.answers.index(review.answer) for review in reviews]
        self.vocab = config.vocab

    def __len__(self) -> int:
        return len(self.ids)


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids [B, T], zeros behind shorter rows, and where there are words."""
    ids_BT = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.long)
    there_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids_BT[place, : len(row)] = torch.tensor(row)
        there_BT[place, : len(row)] = True
    return ids_BT, there_BT


def logits_of(
    model: DeepscText, texts: Sequence[Sequence[int]], air: Air, rngs: Rngs, harshness: float = 0.0
) -> Tensor:
    """Of every answer [B, A]. With a `harshness` frames are lost at times."""
    ids_BT, there_BT = padded(texts)
    reals = model.sender(ids_BT, there_BT)
    uses = reals.shape[-1] // 2
    sent = sent_of(there_BT, uses, [EIGHTHS] * len(texts))
    arrived = draw_lost(rngs, ids_BT.shape[1], uses, harshness)
    logits: Tensor = model.receiver(through(reals, sent, arrived, air, rngs), there_BT)
    return logits


def without_some(ids: Sequence[int], rng: np.random.Generator) -> list[int]:
    """A text of which every word may be left out, but not all."""
    kept = [i for i, lost in zip(ids, rng.random(len(ids)) < WORD_LOSS, strict=True) if not lost]
    return kept or list(ids)


def train_text(
    team: Team,
    config: DeepscConfig,
    pool: ReviewPool,
    dev: ReviewPool,
    plan: Plan,
    out: Path,
    seed: int,
) -> None:
    """Train to the end of the plan; leaves `deepsc.pt`, from which it continues."""
    torch.manual_seed(seed)
    model = DeepscText(config)
    if not (out / f"{NAME}.pt").exists():
        # Words begin with what a bag of words makes of them, as M4SC's do.
        start = sentiment_start(pool.ids, np.array(pool.answers), config.vocab, config.text.width, seed)
        with torch.no_grad():
            model.sender.embed.weight.copy_(start)

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        rows = [int(rng.integers(len(pool))) for rng in rngs]
        texts = [without_some(pool.ids[row], rng) for row, rng in zip(rows, rngs, strict=True)]
        wanted = torch.tensor([pool.answers[row] for row in rows])
        logits = logits_of(model, texts, draw_air(rngs), rngs, harshness=1.0)
        right = float((logits.argmax(1) == wanted).float().mean())
        yield "review", functional.cross_entropy(logits, wanted), {"right": right}

    phase = Phase(
        NAME,
        plan,
        {"model": model},
        list(model.parameters()),
        losses,
        lambda: judge(model, dev),
    )
    train(team, phase, out, seed)


@torch.no_grad()
def judge(model: DeepscText, pool: ReviewPool) -> dict[str, float]:
    """The share of reviews kept for choosing that are classified right, AWGN of one SNR."""
    hits, most = 0, min(len(pool), DEV_REVIEWS)
    for start in range(0, most, _JUDGE_ROWS):
        rows = range(start, min(start + _JUDGE_ROWS, most))
        rngs = [row_rng(_JUDGE_SEED, NAME, 0, row) for row in rows]
        air = fixed_air(len(rows), JUDGE_SNR_DB)
        logits = logits_of(model, [pool.ids[row] for row in rows], air, rngs)
        hits += int((logits.argmax(1) == torch.tensor([pool.answers[row] for row in rows])).sum())
    return {"right": hits / max(1, most)}
