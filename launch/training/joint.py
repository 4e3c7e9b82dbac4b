"""Phases 1 to 3 on rendered pictures: KAN alignment, multi-task tuning, joint training through the channel.

As in the paper the vision tower is fixed from here on, so its tokens are computed once per picture. The
language model is small enough to be tuned in full (the paper uses LoRA there).

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension.

Shapes: B sequences, T tokens, N patches, D token width, V vision width.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from launch.training.corpus import Review
from launch.training.forward import Air, Scaffold, answer_loss, attention_loss, probe_loss, run
from launch.training.language import Reviews, ask_ue
from launch.training.loop import Checkpoint, Clock, Mean, log, optimizer, rate, update
from launch.training.material import QUESTIONS, TOKENS_FILE, Material, judge, load_material, write_tokens
from launch.training.packing import Batch, Packer
from launch.training.parallel import Team, run_team
from shared.semantic.bundle import save_bundle
from shared.semantic.codec import ChannelDecoder, ChannelEncoder
from shared.semantic.config import SemanticConfig
from shared.semantic.masks import IMAGE, TEXT
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

SCENES = 8
#: Share of the time and peak learning rate of phases 1, 2 and 3.
SHARES = {1: 0.055, 2: 0.25, 3: 0.695}
PEAKS = {1: 2e-3, 2: 8e-4, 3: 8e-4}
SNR_DB = (-5.0, 20.0)
FRAME_TOKENS = 16


def draw_air(batch: Batch, rng: np.random.Generator) -> tuple[Air, Tensor]:
    """Random SNR, lost tokens (single ones, whole frames, now and then the whole image), unselected ones."""
    rows, length = batch.segments_BT.shape
    image, text = (batch.segments_BT == IMAGE).numpy(), (batch.segments_BT == TEXT).numpy()
    erased, unselected = np.zeros((rows, length), bool), np.zeros((rows, length), bool)
    for row in range(rows):
        kind = rng.random()
        if kind < 0.05:
            erased[row] = image[row]
        elif kind < 0.35:
            erased[row] = image[row] & (rng.random(length) < rng.uniform(0, 0.3))
        elif kind < 0.5:
            start = 1 + FRAME_TOKENS * int(rng.integers(4))
            erased[row, start : start + FRAME_TOKENS] = image[row, start : start + FRAME_TOKENS]
        elif kind < 0.6:
            unselected[row] = image[row] & (rng.random(length) < rng.uniform(0, 0.6))
        if rng.random() < 0.15:
            erased[row] |= text[row] & (rng.random(length) < rng.uniform(0, 0.2))
    noise = 10.0 ** (-rng.uniform(*SNR_DB, rows) / 10)
    air = Air(
        torch.from_numpy(noise.astype(np.float32)),
        torch.from_numpy(erased),
        torch.from_numpy(rng.random(rows) < 0.6),
        torch.from_numpy(rng.random(rows) < 0.2),
    )
    return air, torch.from_numpy(unselected)


@torch.no_grad()
def start_codec(model: SemanticModel, material: Material, rng: np.random.Generator) -> None:
    """Encoders and decoders from the principal components of what they will carry."""
    rows = rng.integers(len(material.pictures), size=64)
    batch = material.packer.questions(
        [material.pictures.scenes[r] for r in rows],
        [material.pictures.patches[r] for r in rows],
        rng,
        QUESTIONS,
    )
    seen = model.projector(torch.from_numpy(material.tokens_BNV[rows]).float())
    split = run(
        model, batch, seen, torch.zeros(len(rows), dtype=torch.bool), split_layer=model.config.split_layer
    )
    image, text = (split.split_BTD[batch.segments_BT == kind] for kind in (IMAGE, TEXT))
    some = torch.from_numpy(rng.permutation(len(image))[: len(text)])
    for stream, vectors in (("public", image), ("private", torch.cat([image[some], text]))):
        encoder, decoder = model.codec.encoders[stream], model.codec.decoders[stream]
        assert isinstance(encoder, ChannelEncoder)
        assert isinstance(decoder, ChannelDecoder)
        mean = vectors.mean(0)
        values, basis = torch.linalg.eigh(torch.cov((vectors - mean).T))
        reals = encoder.linear.out_features
        scale = values[-reals:].clamp_min(1e-6) ** 0.25
        encoder.linear.weight.copy_((basis[:, -reals:] / scale).T)
        encoder.linear.bias.copy_(-encoder.linear.weight @ mean)
        length = encoder.linear(vectors).norm(dim=1).mean() / (reals // 2) ** 0.5
        decoder.linear.weight.copy_(basis[:, -reals:] * scale * length)
        decoder.linear.bias.copy_(mean)
    model.codec.erasure_D.copy_(image.mean(0) + 0.2 * torch.randn(image.shape[1]))


def trained(model: SemanticModel, scaffold: Scaffold, phase: int) -> list[nn.Parameter]:
    """What a phase may change."""
    modules: dict[int, list[nn.Module]] = {
        1: [model.projector],
        2: [model.projector, model.llm, scaffold],
        3: [model.projector, model.llm, scaffold, model.codec],
    }
    for part in (model, scaffold):
        part.requires_grad_(False)
    for module in modules[phase]:
        module.requires_grad_(True)
    return list(dict.fromkeys(p for module in modules[phase] for p in module.parameters()))


def losses(
    model: SemanticModel,
    scaffold: Scaffold,
    material: Material,
    rng: np.random.Generator,
    phase: int,
    step: int,
    progress: float,
) -> Iterator[tuple[str, Tensor, float]]:
    """One step's parts: questions always, reviews every second step, captions every fourth."""
    split = model.config.split_layer

    def forward(batch: Batch, image: Tensor | None, probe: float) -> tuple[Tensor, float]:
        air, masked = draw_air(batch, rng) if phase == 3 else (None, None)
        with torch.autocast("cpu", torch.bfloat16):
            out = run(model, batch, image, ask_ue(rng, len(batch.ids_BT)), air, masked, split)
            loss, right = answer_loss(model, batch, out)
            if probe:
                loss = loss + probe * (
                    probe_loss(scaffold, batch, out) + 0.5 * attention_loss(model, batch, out)
                )
        return loss, float(right.float().mean())

    def draw() -> tuple[np.ndarray, Tensor]:
        rows = rng.integers(len(material.pictures), size=SCENES)
        return rows, model.projector(torch.from_numpy(material.tokens_BNV[rows]).float())

    rows, image = draw()
    if phase == 1:
        wanted = scaffold.symbols(torch.from_numpy(material.symbols_BNF[rows]))
        yield "align", (image - wanted).pow(2).mean() / wanted.var(), 0.0
        if progress < 0.5:
            return
        rows, image = draw()
    scenes = [material.pictures.scenes[r] for r in rows]
    batch = material.packer.questions(scenes, [material.pictures.patches[r] for r in rows], rng, QUESTIONS)
    yield "vqa", *forward(batch, image, {1: 0.0, 2: 0.3, 3: 0.15}[phase])
    if phase == 1:
        return
    if step % 2 == 0:
        texts, labels = material.reviews.draw(rng, SCENES, 192 if phase == 2 else 240)
        loss, right = forward(material.packer.reviews(texts, labels), None, 0.0)
        yield "review", 0.5 * loss, right
    if step % 4 == 1:
        rows, image = draw()
        loss, right = forward(
            material.packer.captions([material.pictures.scenes[r] for r in rows]), image, 0.0
        )
        yield "caption", 0.5 * loss, right


def train_joint(
    config: SemanticConfig,
    codec: TextCodec,
    data: Path,
    reviews: list[Review],
    out: Path,
    minutes: float,
    bundle: Path | None,
    seed: int,
    workers: int = 2,
) -> None:
    """Run phases 1 to 3 for `minutes` in all; leaves `joint.pt`, from which it continues, and a bundle."""
    model = SemanticModel(config)
    if not (out / TOKENS_FILE).exists():
        model.vision.load_state_dict(torch.load(out / "vision.pt", weights_only=True)["tower"])
        write_tokens(model, data, out)
    run_team(_work, workers, config, codec.tokenizer.to_str(), data, reviews, out, minutes, seed)
    if bundle is not None:
        model.load_state_dict(torch.load(out / "joint.pt", weights_only=True)["model"])
        save_bundle(bundle, model, codec, f"# {config.name}\n\nTrained, not yet measured.\n")


def _work(
    team: Team,
    config: SemanticConfig,
    tokenizer: str,
    data: Path,
    reviews: list[Review],
    out: Path,
    minutes: float,
    seed: int,
) -> None:
    codec = TextCodec.from_text(tokenizer)
    packer = Packer(Prompts(config, codec), codec, config.llm.bos_id, config.llm.eos_id)
    pool = Reviews(reviews, codec)
    material = load_material(packer, pool, data, out, "train")
    dev = load_material(packer, pool, data, out, "dev")
    model, scaffold = SemanticModel(config), Scaffold(config.llm.hidden)
    checkpoint = Checkpoint(out / "joint.pt")
    state = checkpoint.load()
    if state is None:
        language = torch.load(out / "language.pt", weights_only=True)
        model.llm.load_state_dict(language["llm"])
        scaffold.load_state_dict(language["scaffold"])
        model.vision.load_state_dict(torch.load(out / "vision.pt", weights_only=True)["tower"])
        state = {"phase": 1, "step": 0, "spent": 0.0, "optimizer": None}
    else:
        model.load_state_dict(state["model"])
        scaffold.load_state_dict(state["scaffold"])
    team.share([p.data for p in (*model.parameters(), *scaffold.parameters())])
    for phase in range(state["phase"], 4):
        if phase != state["phase"]:
            state = {"phase": phase, "step": 0, "spent": 0.0, "optimizer": None}
        _phase(
            team, model, scaffold, material, dev, checkpoint, state, 60 * minutes * SHARES[phase], seed, out
        )


def _phase(
    team: Team,
    model: SemanticModel,
    scaffold: Scaffold,
    material: Material,
    dev: Material,
    checkpoint: Checkpoint,
    state: dict[str, Any],
    budget_s: float,
    seed: int,
    out: Path,
) -> None:
    phase, step = state["phase"], state["step"]
    rng = np.random.default_rng([seed, phase, step, team.rank])
    torch.manual_seed(seed + 100 * phase + team.rank)
    if phase == 3 and step == 0:
        start_codec(model, material, rng)
        team.share([p.data for p in model.codec.parameters()])
    parameters = trained(model, scaffold, phase)
    optim = optimizer(parameters)
    if state["optimizer"] is not None:
        optim.load_state_dict(state["optimizer"])
    clock, mean, progress = Clock(budget_s, state["spent"]), Mean(), 0.0

    def save() -> None:
        checkpoint.save(
            {
                "phase": phase,
                "step": step,
                "spent": clock.spent_s,
                "optimizer": optim.state_dict(),
                "model": model.state_dict(),
                "scaffold": scaffold.state_dict(),
            }
        )

    while progress < 1.0:
        for name, loss, right in losses(model, scaffold, material, rng, phase, step, progress):
            loss.backward()
            mean.add(**{f"{name}_loss": float(loss.detach()), f"{name}_right": right})
        progress = team.average(parameters, clock.progress)
        update(optim, rate(progress, PEAKS[phase], 0.02))
        step += 1
        if team.leads and step % 50 == 0:
            log(out / "log.jsonl", str(phase), step=step, spent=clock.spent_s, **mean.take())
        if team.leads and (step % 400 == 0 or progress >= 1.0):
            log(
                out / "log.jsonl",
                f"{phase} dev",
                step=step,
                **judge(model, dev, 10.0 if phase == 3 else None),
            )
            torch.manual_seed(seed + 100 * phase + step)
        if team.leads and (checkpoint.due() or progress >= 1.0):
            save()
