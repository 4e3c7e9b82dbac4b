"""Phase 0c: the language model learns to answer about symbolic scenes, and to judge reviews.

A symbolic scene is 64 patch tokens made from the ground truth by one linear map; no picture is rendered, so
there are as many scenes as there is time for.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from launch.datasets.clevr_style.scene import Scene
from launch.training.corpus import Review, sentiment_start
from launch.training.forward import Scaffold, answer_loss, attention_loss, probe_loss, run
from launch.training.loop import Checkpoint, Clock, Mean, log, optimizer, rate, update
from launch.training.packing import Packer
from launch.training.scenes import Patches, features, imagined_scene, patches_of
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

SCENES = 8
QUESTIONS = 12
PEAK = 1.5e-3


class Reviews:
    """Token ids of reviews, cut to a length at a random end or at both."""

    def __init__(self, reviews: list[Review], codec: TextCodec) -> None:
        encoded = codec.tokenizer.encode_batch([r.text for r in reviews], add_special_tokens=False)
        self.ids = [list(e.ids) for e in encoded]
        self.labels = [r.label for r in reviews]

    def draw(self, rng: np.random.Generator, amount: int, longest: int) -> tuple[list[list[int]], list[str]]:
        rows = rng.integers(len(self.ids), size=amount).tolist()
        return [crop(self.ids[r], longest, rng) for r in rows], [self.labels[r] for r in rows]


def crop(ids: list[int], longest: int, rng: np.random.Generator) -> list[int]:
    """The beginning or the end of a long text."""
    if len(ids) <= longest:
        return ids
    return ids[:longest] if rng.random() < 0.6 else ids[-longest:]


def imagined(rng: np.random.Generator, amount: int, most: int) -> tuple[list[Scene], list[Patches], Tensor]:
    scenes = [imagined_scene(rng, most) for _ in range(amount)]
    places = [patches_of(scene, 192, 128) for scene in scenes]
    return scenes, places, torch.from_numpy(np.stack([features(p) for p in places]))


def symbol_tokens(scaffold: Scaffold, features_BNF: Tensor, noise: float) -> Tensor:
    tokens: Tensor = scaffold.symbols(features_BNF)
    return tokens + noise * torch.randn(tokens.shape)


def ask_ue(rng: np.random.Generator, rows: int) -> Tensor:
    """Where the questions are asked, at the base station or at the UE, one draw a sequence."""
    return torch.from_numpy(rng.random(rows) < 0.4)


def train_language(
    model: SemanticModel,
    codec: TextCodec,
    reviews: list[Review],
    out: Path,
    minutes: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Train for `minutes` in all and leave `language.pt`; continues where it was stopped."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    scaffold, checkpoint = Scaffold(model.config.llm.hidden), Checkpoint(out / "language.pt")
    pool = Reviews(reviews, codec)
    packer = Packer(Prompts(model.config, codec), codec, model.config.llm.bos_id, model.config.llm.eos_id)
    optim = optimizer([*model.llm.parameters(), *scaffold.parameters()])
    state, step = checkpoint.load(), 0
    if state is None:
        start = sentiment_start(
            pool.ids,
            np.array([label == "pos" for label in pool.labels]),
            *model.llm.model.embed_tokens.weight.shape,
        )
        with torch.no_grad():
            model.llm.model.embed_tokens.weight.copy_(start)
    else:
        model.llm.load_state_dict(state["llm"])
        scaffold.load_state_dict(state["scaffold"])
        optim.load_state_dict(state["optimizer"])
        step = state["step"]
        rng = np.random.default_rng([seed, step])
    clock, mean = Clock(60 * minutes, state["spent"] if state else 0.0), Mean()

    def save() -> None:
        checkpoint.save(
            {
                "llm": model.llm.state_dict(),
                "scaffold": scaffold.state_dict(),
                "optimizer": optim.state_dict(),
                "step": step,
                "spent": clock.spent_s,
            }
        )

    while clock.progress < 1.0:
        for name, loss, right in _losses(model, scaffold, packer, pool, rng, step, clock.progress):
            loss.backward()
            mean.add(**{f"{name}_loss": float(loss.detach()), f"{name}_right": right})
        update(optim, rate(clock.progress, PEAK))
        step += 1
        if step % 50 == 0:
            log(out / "log.jsonl", "0c", step=step, spent=clock.spent_s, **mean.take())
        if checkpoint.due():
            save()
    save()


def _losses(
    model: SemanticModel,
    scaffold: Scaffold,
    packer: Packer,
    pool: Reviews,
    rng: np.random.Generator,
    step: int,
    progress: float,
) -> Iterator[tuple[str, Tensor, float]]:
    """One step's parts: questions always, reviews every third step, captions every sixth."""
    most = 5 if progress < 0.12 else 10
    scenes, places, seen = imagined(rng, SCENES, most)
    batch = packer.questions(scenes, places, rng, QUESTIONS)
    with torch.autocast("cpu", torch.bfloat16):
        out = run(model, batch, symbol_tokens(scaffold, seen, 0.15), ask_ue(rng, SCENES))
        loss, right = answer_loss(model, batch, out)
        hint = (1.0 - 0.7 * progress) * (
            probe_loss(scaffold, batch, out) + 0.5 * attention_loss(model, batch, out)
        )
        yield "hint", torch.zeros((), requires_grad=True) + hint.detach(), 0.0
        yield "vqa", loss + hint, float(right.float().mean())
    if step % 3 == 0:
        batch = packer.reviews(*pool.draw(rng, SCENES, 160))
        with torch.autocast("cpu", torch.bfloat16):
            loss, right = answer_loss(model, batch, run(model, batch, None, ask_ue(rng, SCENES)))
        yield "review", 0.5 * loss, float(right.float().mean())
    if step % 6 == 1 and progress > 0.15:
        scenes, _, seen = imagined(rng, SCENES, 10)
        batch = packer.captions(scenes)
        with torch.autocast("cpu", torch.bfloat16):
            out = run(model, batch, symbol_tokens(scaffold, seen, 0.15), ask_ue(rng, SCENES))
            loss, right = answer_loss(model, batch, out)
        yield "caption", 0.5 * loss, float(right.float().mean())
