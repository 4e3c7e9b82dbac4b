"""The second phase of DeepSC-VQA: questions about pictures, answered through the channel, all parts at once.

A row of a step is one picture with several questions about it, as several users ask them: the picture
crosses the air once, each question by itself, and all under the row's SNR and fading. Beside the
answers' cross-entropy stands, with less and less weight, the dense supervision of the first phase, on
what the receiver makes of the picture; and where to look for what the question is about (`hints`). The
channel begins kindly and becomes harsher in the first half of the steps, as M4SC meets it in its last phase.

Shapes: B pictures, Q questions of all rows together, T words, N patches, A answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from launch.datasets.clevr_style.questions import FAMILIES, Family, questions_for
from launch.training.deepsc.air import (
    Air,
    draw_air,
    draw_eighths,
    draw_lost,
    fixed_air,
    sent_of,
    through,
)
from launch.training.deepsc.hints import patches_found, pointing_loss
from launch.training.deepsc.text import padded
from launch.training.deepsc.vision import PatchProbe, centres, patch_loss
from launch.training.images import Pictures
from launch.training.loop import Phase, Rngs, row_rng, train
from launch.training.mixed import mixed
from launch.training.optimizers import matrices
from launch.training.parallel import Team
from launch.training.recipe import Plan
from shared.deepsc.config import DeepscVqaConfig
from shared.deepsc.vision import pixels_of
from shared.deepsc.vqa import DeepscVqa
from shared.rate import EIGHTHS
from shared.semantic.tokenizer import TextCodec

NAME: Final = "deepsc_vqa"
QUESTIONS: Final = 12
"""At most, about one picture in one step."""
DENSE: Final = 0.1
HINT: Final = 0.3
JUDGE_SNR_DB: Final = 10.0
DEV_PICTURES: Final = 60
EASY: Final[tuple[Family, ...]] = ("zero_hop", "comparison", "single_or")
EASY_UNTIL: Final = 0.05
HARSH_FROM: Final = 0.5
"""Of the steps, when the channel is as harsh as it gets."""
_JUDGE_SEED, _JUDGE_ROWS = 1_000_003, 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions about a step's pictures: words, which picture, the answer's number, the family.

    `found`: of every set of objects that a question's program finds, the patches.
    """

    texts: list[list[int]]
    rows: list[int]
    answers: Tensor
    families: list[str]
    found: list[list[list[int]]]


def ask(
    pictures: Pictures,
    chosen: Sequence[int],
    rngs: Rngs,
    families: Sequence[Family],
    codec: TextCodec,
    config: DeepscVqaConfig,
) -> Asked:
    """Up to `QUESTIONS` about each chosen picture."""
    texts: list[list[int]] = []
    rows: list[int] = []
    answers: list[int] = []
    names: list[str] = []
    found: list[list[list[int]]] = []
    for row, (picture, rng) in enumerate(zip(chosen, rngs, strict=True)):
        scene, where = pictures.scenes[picture], pictures.patches[picture]
        for question in questions_for(scene, rng, families, QUESTIONS):
            ids = codec.encode(question.question)
            if 1 <= len(ids) <= config.text_tokens:
                texts.append(ids)
                rows.append(row)
                answers.append(config.answers.index(question.answer))
                names.append(question.family)
                found.append(patches_found(question.program, scene, where, config.grid))
    return Asked(texts, rows, torch.tensor(answers), names, found)


@dataclass(frozen=True, slots=True)
class Answered:
    """Logits [Q, A]; what is seen of pictures [B, N, D]; log-odds that a step means a patch [Q, S, N]."""

    logits: Tensor
    seen: Tensor
    log_odds: Tensor


def answered(
    model: DeepscVqa,
    pixels: Tensor,
    asked: Asked,
    air: Air,
    eighths: Sequence[int],
    rngs: Rngs,
    harshness: float = 0.0,
) -> Answered:
    """What the receiver makes of pictures and questions. With a `harshness` frames are lost at times.

    The words' transformer is computed in float32: attention of so narrow heads takes many times as long
    backwards in bfloat16.
    """
    sender, receiver = model.sender, model.receiver
    reals = sender.image(pixels)
    uses, patches = reals.shape[-1] // 2, reals.shape[1]
    there = torch.ones(len(pixels), patches, dtype=torch.bool)
    arrived = draw_lost(rngs, patches, uses, harshness)
    seen = receiver.see(through(reals, sent_of(there, uses, eighths), arrived, air, rngs))
    ids_QT, there_QT = padded(asked.texts)
    with torch.autocast("cpu", enabled=False):
        words = sender.text(ids_QT, there_QT)
    uses = words.shape[-1] // 2
    own = [rngs[row] for row in asked.rows]  # noise and losses of each question, from its row's generator
    arrived = draw_lost(own, ids_QT.shape[1], uses, harshness)
    sent = sent_of(there_QT, uses, [EIGHTHS] * len(own))
    heard = through(words, sent, arrived, air.rows(asked.rows), own)
    logits, log_odds = receiver.reason(seen, torch.tensor(asked.rows), heard, there_QT)
    return Answered(logits, seen, log_odds)


def compile_reasoning(model: DeepscVqa) -> None:
    """It is bound by memory, and so twice as fast with its steps fused."""
    model.receiver.reasoning.compile(dynamic=True)


def train_vqa(
    team: Team,
    config: DeepscVqaConfig,
    model: DeepscVqa,
    codec: TextCodec,
    pictures: Pictures,
    dev: Pictures,
    plan: Plan,
    out: Path,
    seed: int,
    compiled: bool = False,
) -> None:
    """Train to the end of the plan; leaves `deepsc_vqa.pt`, from which it continues."""
    probe = PatchProbe(config.text.width)
    if compiled:
        compile_reasoning(model)

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        chosen = [int(rng.integers(len(pictures))) for rng in rngs]
        asked = ask(pictures, chosen, rngs, EASY if progress < EASY_UNTIL else FAMILIES, codec, config)
        pixels = torch.stack([_lit(pictures, row, rng) for row, rng in zip(chosen, rngs, strict=True)])
        harshness = min(1.0, progress / HARSH_FROM)
        with mixed():
            air, eighths = draw_air(rngs, harshness), draw_eighths(rngs, harshness)
            made = answered(model, pixels, asked, air, eighths, rngs, harshness)
        amount = QUESTIONS * len(chosen)
        answers = functional.cross_entropy(made.logits.float(), asked.answers, reduction="sum") / amount
        wanted = torch.from_numpy(np.stack([centres(pictures.patches[row], config.grid) for row in chosen]))
        dense, figures = patch_loss(probe(made.seen.float()), wanted)
        hint, pointed = pointing_loss(made.log_odds, asked.found, amount)
        right = float((made.logits.argmax(1) == asked.answers).float().mean())
        shown = {
            "right": right,
            "answers_loss": float(answers.detach()),
            "sets_right": pointed,
            "f1": figures["f1"],
        }
        yield "vqa", answers + DENSE * (1.0 - progress) * dense + HINT * hint, shown

    modules: dict[str, nn.Module] = {"model": model, "probe": probe}
    parameters = [p for module in modules.values() for p in module.parameters()]
    judged = lambda: judge(model, dev, codec, config)  # noqa: E731
    layers = (model.sender.text.encoder, model.receiver.reasoning)
    hidden = [p for part in layers for p in matrices(part) if min(p.shape) > 1]
    train(team, Phase(NAME, plan, modules, parameters, losses, judged, hidden=hidden), out, seed)


def _lit(pictures: Pictures, row: int, rng: np.random.Generator) -> Tensor:
    """A picture [3, S, S] under a little more or less light, with noise; where things are does not change."""
    pixels = pixels_of(pictures.pixels_BSSC[row], pictures.pixels_BSSC.shape[1])
    gain, noise = float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.0, 0.03))
    return pixels * gain + noise * torch.from_numpy(rng.standard_normal(pixels.shape, np.float32))


@torch.no_grad()
def judge(
    model: DeepscVqa, pictures: Pictures, codec: TextCodec, config: DeepscVqaConfig
) -> dict[str, float]:
    """The share of right answers by family, AWGN of one SNR, on pictures kept for choosing."""
    hits: dict[str, list[bool]] = {}
    for start in range(0, min(len(pictures), DEV_PICTURES), _JUDGE_ROWS):
        rows = range(start, min(start + _JUDGE_ROWS, len(pictures), DEV_PICTURES))
        rngs = [row_rng(_JUDGE_SEED, NAME, 0, row) for row in rows]
        asked = ask(pictures, rows, rngs, FAMILIES, codec, config)
        pixels = torch.stack(
            [pixels_of(pictures.pixels_BSSC[row], pictures.pixels_BSSC.shape[1]) for row in rows]
        )
        air = fixed_air(len(rows), JUDGE_SNR_DB)
        with mixed():
            made = answered(model, pixels, asked, air, [EIGHTHS] * len(rows), rngs)
        for family, right in zip(
            asked.families, (made.logits.argmax(1) == asked.answers).tolist(), strict=True
        ):
            hits.setdefault(family, []).append(right)
    shares = {family: sum(found) / len(found) for family, found in sorted(hits.items())}
    return {**shares, "mean": sum(shares.values()) / max(1, len(shares))}
