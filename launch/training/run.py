"""Train a bundle from nothing: all phases, one after the other, each continued from its checkpoint.

0 tokenizer, vision tower and language model (in place of pre-trained ones) -> 1 KAN alignment -> 2 multi-task
tuning -> 3 joint training through the channel. What a phase leaves in `out` is not done again.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from launch.datasets.imdb import read_reviews
from launch.datasets.sample import Sample
from launch.training.codec_start import start_codec
from launch.training.corpus import train_tokenizer
from launch.training.curves import draw_curves
from launch.training.distributed import run_workers
from launch.training.forward import Stack
from launch.training.hints import Scaffold
from launch.training.language import LENGTH, Reviews, train_language
from launch.training.lora import add_adapters, merged
from launch.training.material import TOKENS_FILE, load_material, write_tokens
from launch.training.packing import Packer
from launch.training.parallel import Team
from launch.training.recipe import Plan, Recipe
from launch.training.tuning import ALIGN, JOINT, TUNE, Setup, tune
from launch.training.vision import train_vision
from shared.semantic.bundle import save_bundle
from shared.semantic.config import SemanticConfig
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

TOKENIZER_FILE, CURVES_FILE = "tokenizer.json", "curves.png"


@dataclass(frozen=True, slots=True)
class Job:
    """What to train, on what, where to."""

    config: SemanticConfig
    recipe: Recipe
    data: Path
    """A folder of rendered pictures."""
    imdb: Path
    out: Path
    """Checkpoints, log and tokenizer."""
    seed: int = 0


def train_bundle(job: Job, workers: int, bundle: Path | None = None) -> None:
    """All phases; then the bundle, if asked for. Everything already done in `job.out` is kept."""
    job.out.mkdir(parents=True, exist_ok=True)
    codec = tokenizer_of(job)
    run_workers(work, workers, job.out, job=job, tokenizer=codec.tokenizer.to_str())
    draw_curves(job.out, job.out / CURVES_FILE)
    if bundle is not None:
        save_bundle(bundle, trained_model(job, codec), codec, f"# {job.config.name}\n\nNot yet measured.\n")


def tokenizer_of(job: Job) -> TextCodec:
    """Phase 0a, once."""
    path = job.out / TOKENIZER_FILE
    if not path.exists():
        codec = train_tokenizer(read_reviews(job.imdb, split="train"), job.config)
        partial = path.with_suffix(".tmp")
        codec.tokenizer.save(str(partial))
        partial.replace(path)
    return TextCodec.from_file(path)


def work(team: Team, job: Job, tokenizer: str) -> None:
    """What one worker does in all phases."""
    torch.set_num_threads(1)
    codec = TextCodec.from_text(tokenizer)
    reviews = read_reviews(job.imdb, split="train")
    compiled = job.recipe.compiled and shutil.which("g++") is not None
    plans, config = job.recipe.plans, job.config
    if not done(job, "vision"):
        train_vision(team, config, plans["vision"], job.data, job.out, job.seed)
    if not done(job, "language"):
        torch.manual_seed(job.seed)
        train_language(
            team, SemanticModel(config), codec, reviews, plans["language"], job.out, job.seed, compiled
        )
    team.wait()
    model = SemanticModel(config)
    model.vision.load_state_dict(modules(job, "vision")["tower"])
    if team.leads and not (job.out / TOKENS_FILE).exists():
        write_tokens(model.vision, config.vision.image_size, job.data, job.out)
    team.wait()
    tune_all(team, job, model, codec, reviews, compiled)


def tune_all(
    team: Team,
    job: Job,
    model: SemanticModel,
    codec: TextCodec,
    reviews: list[Sample],
    compiled: bool,
) -> None:
    """Phases 1 to 3."""
    config = job.config
    packer = Packer(Prompts(config, codec), codec, config.llm.bos_id, config.llm.eos_id, LENGTH)
    pool = Reviews(reviews, codec)
    material, dev = (load_material(packer, pool, job.data, job.out, part) for part in ("train", "dev"))
    scaffold = Scaffold(config.llm.hidden, codec)
    language = modules(job, "language")
    model.llm.load_state_dict(language["llm"])
    scaffold.load_state_dict(language["scaffold"])
    torch.manual_seed(job.seed)
    adapters = add_adapters(model.llm, job.recipe.lora_rank)
    setup = Setup(model, scaffold, Stack(model, compiled), material, dev, job.recipe.tasks)
    for phase in (ALIGN, TUNE, JOINT):
        plan: Plan = job.recipe.plans[phase]
        if phase == JOINT and not (job.out / f"{JOINT}.pt").exists():
            start_codec(model, setup.stack, material, plan.rows // team.size, job.seed)
        tune(team, phase, setup, adapters, plan, job.out, job.seed)
        team.wait()


def modules(job: Job, phase: str) -> dict[str, dict[str, torch.Tensor]]:
    """The weights that a phase left."""
    state = torch.load(job.out / f"{phase}.pt", weights_only=True)
    found: dict[str, dict[str, torch.Tensor]] = state["modules"]
    return found


def done(job: Job, phase: str) -> bool:
    """Whether a phase has run all its steps."""
    path = job.out / f"{phase}.pt"
    if not path.exists():
        return False
    state = torch.load(path, weights_only=True, mmap=True)
    return int(state["step"]) >= job.recipe.plans[phase].steps


def trained_model(job: Job, codec: TextCodec) -> SemanticModel:
    """The model that phase 3 left, adapters merged."""
    model = SemanticModel(job.config)
    model.vision.load_state_dict(modules(job, "vision")["tower"])
    found = modules(job, JOINT)
    model.projector.load_state_dict(found["projector"])
    model.codec.load_state_dict(found["codec"])
    plain = SemanticModel(job.config).llm
    add_adapters(plain, job.recipe.lora_rank)
    plain.load_state_dict(found["llm"])
    model.llm.load_state_dict(merged(plain))
    return model
