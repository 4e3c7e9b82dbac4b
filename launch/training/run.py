"""Train a bundle from nothing, or on from another: all phases, each continued from its checkpoint.

0 tokenizer, vision tower and language model (in place of pre-trained ones) -> 1 KAN alignment -> 2 multi-task
tuning -> 3 joint training through the channel. What a phase leaves in `out` is not done again, nor is what a
job takes from other runs' folders. Of a phase that the recipe leaves out, the bundle that a job goes on from
has the weights.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn

from launch.datasets.imdb import read_reviews
from launch.datasets.sample import Sample
from launch.errors import Interrupted
from launch.training.codec_start import start_codec
from launch.training.compare import Kept, save_unless_worse, score_of
from launch.training.corpus import reviews_for, train_tokenizer
from launch.training.curves import draw_curves
from launch.training.distributed import run_workers
from launch.training.forward import Stack
from launch.training.hints import Scaffold
from launch.training.language import LENGTH, Reviews, train_language
from launch.training.loop import Checkpoint, fill
from launch.training.lora import add_adapters, merged
from launch.training.material import TOKENS_FILE, load_material, write_tokens
from launch.training.packing import Packer
from launch.training.parallel import Team
from launch.training.recipe import Recipe
from launch.training.record import LOG_FILE
from launch.training.scene_tasks import SceneTasks
from launch.training.tuning import JOINT, PHASES, Learner, tune
from launch.training.vision import train_vision
from launch.training.warm_start import start_language, started_model
from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.config import SemanticConfig
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

TOKENIZER_FILE, CURVES_FILE = "tokenizer.json", "curves.png"
TOKENIZER, VISION, LANGUAGE = "tokenizer", "vision", "language"


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
    held: Mapping[str, Path] = field(default_factory=dict)
    """Phases, `tokenizer` among them, that are taken from the folders of other runs, finished there."""
    start: Path | None = None
    """A bundle of the same sizes to go on from, wherever it is cut; None: from nothing."""

    def has(self, phase: str) -> bool:
        """Whether a phase is part of the recipe. What a recipe leaves out, only `start` can stand in for."""
        return phase in self.recipe.plans

    def folder(self, phase: str) -> Path:
        """Where a phase's checkpoint lies."""
        return self.held.get(phase, self.out)


def train_bundle(job: Job, workers: int, bundle: Path | None = None, force: bool = False) -> bool:
    """All phases; then the bundle, if asked for. Everything already done in `job.out` is kept.

    False: the bundle that is there is better, and was left; `force` replaces it.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    codec = tokenizer_of(job)
    if not all(done(job, phase) for phase in job.recipe.plans):
        run_workers(work, workers, job.out, job=job, tokenizer=codec.tokenizer.to_str())
    if (job.out / LOG_FILE).exists():
        draw_curves(job.out, job.out / CURVES_FILE)
    if bundle is None:
        return True
    card = f"# {job.config.name}\n\nNot yet measured.\n"
    kept, model = Kept(job.data, reviews_of(job, "dev")), trained_model(job)

    def held_score() -> float:
        held = Bundle.load(bundle)
        return score_of(held.model("all"), held.text_codec, kept)

    return save_unless_worse(
        bundle,
        lambda place: save_bundle(place, model, codec, card),
        lambda: score_of(model, codec, kept),
        held_score,
        force,
    )


def reviews_of(job: Job, part: str) -> list[Sample]:
    """The reviews to train on ('train'), or those kept for choosing ('dev'). Raises `DatasetError`."""
    return reviews_for(part, read_reviews(job.imdb, split="train"))


def tokenizer_of(job: Job) -> TextCodec:
    """Phase 0a, once; going on from a bundle, its tokenizer."""
    path = job.folder(TOKENIZER) / TOKENIZER_FILE
    if not path.exists():
        reviews = reviews_of(job, "train")
        codec = train_tokenizer(reviews, job.config) if job.start is None else started_model(job.start)[1]
        partial = path.with_suffix(".tmp")
        codec.tokenizer.save(str(partial))
        partial.replace(path)
    return TextCodec.from_file(path)


def work(team: Team, job: Job, tokenizer: str) -> None:
    """What one worker does in all phases."""
    torch.set_num_threads(1)
    codec = TextCodec.from_text(tokenizer)
    compiled = job.recipe.compiled and shutil.which("g++") is not None
    config = job.config
    pretrain(team, job, codec, compiled)
    torch.manual_seed(job.seed)  # the projector starts alike, whatever was trained before it here
    model = SemanticModel(config)
    if job.start is not None:
        model.projector.load_state_dict(started_model(job.start)[0].projector.state_dict())
    fill_from(job, VISION, {"tower": model.vision})
    if team.leads and not (job.folder(VISION) / TOKENS_FILE).exists():
        write_tokens(model.vision, config.vision.image_size, job.data, job.folder(VISION))
    team.wait()
    pools = {part: Reviews(reviews_of(job, part), codec) for part in ("train", "dev")}
    tune_all(team, job, model, codec, pools, compiled)


def pretrain(team: Team, job: Job, codec: TextCodec, compiled: bool) -> None:
    """Phase 0. Vision and language know nothing of each other: each is trained by half of the workers.

    The half that is done first joins the other. Raises `Interrupted`, in all workers, where one was stopped.
    """
    phases_0 = [phase for phase in (VISION, LANGUAGE) if job.has(phase)]
    while left := [phase for phase in phases_0 if not done(job, phase)]:
        team.wait()  # all have looked
        phase, own, leave = left[0], team, _never
        if len(left) == 2 and team.size > 1:
            side, own = team.halves()
            phase, other = left[side], left[1 - side]
            leave = partial(done, job, other)
        stopped: Interrupted | None = None
        try:
            _pretrain_one(own, phase, job, codec, compiled, leave)
        except Interrupted as error:
            stopped = error
        if team.any(stopped is not None):
            raise stopped or Interrupted("stopped")


def _never() -> bool:
    return False


def _pretrain_one(
    team: Team, phase: str, job: Job, codec: TextCodec, compiled: bool, leave: Callable[[], bool]
) -> None:
    config, plan = job.config, job.recipe.plans[phase]
    start = None if job.start is None else started_model(job.start)[0]
    if phase == VISION:
        tower = None if start is None else start.vision.state_dict()
        train_vision(team, config, plan, job.data, job.out, job.seed, compiled, leave, tower)
        return
    torch.manual_seed(job.seed)
    model, reviews = SemanticModel(config), reviews_of(job, "train")
    begin = None if start is None else partial(start_language, start=start, data=job.data)
    train_language(team, model, codec, reviews, plan, job.out, job.seed, compiled, leave, begin)


def tune_all(
    team: Team,
    job: Job,
    model: SemanticModel,
    codec: TextCodec,
    pools: Mapping[str, Reviews],
    compiled: bool,
) -> None:
    """Phases 1 to 3."""
    config = job.config
    packer = Packer(Prompts(config, codec), codec, config.llm.bos_id, config.llm.eos_id, LENGTH)
    seen = job.folder(VISION)
    material, dev = (load_material(packer, pools[part], job.data, seen, part) for part in ("train", "dev"))
    modules: dict[str, nn.Module] = {"llm": model.llm}
    scaffold = Scaffold(config.llm.hidden, codec) if job.has(LANGUAGE) else None  # no bundle holds one
    if scaffold is not None:
        modules["scaffold"] = scaffold
    fill_from(job, LANGUAGE, modules)
    torch.manual_seed(job.seed)
    adapters = add_adapters(model.llm, job.recipe.lora_rank)
    modules |= {"projector": model.projector, "codec": model.codec}
    learner = Learner(model, Stack(model, compiled), adapters, modules, scaffold)
    source = SceneTasks(learner, material, dev, job.recipe.tasks)
    for phase in (phase for phase in PHASES if job.has(phase)):
        if phase in job.held:
            fill_from(job, phase, modules)
            continue
        plan = job.recipe.plans[phase]
        if phase == JOINT and not (job.out / f"{JOINT}.pt").exists():
            start_codec(learner, material.asked, plan.rows // team.size, job.seed)
        tune(team, phase, learner, source, plan, job.out, job.seed)
        team.wait()


def fill_from(job: Job, phase: str, modules: Mapping[str, nn.Module]) -> None:
    """Load what a phase left, or if it is left out, what the start has. Raises `TrainingError`."""
    if not job.has(phase):
        assert job.start is not None
        start = started_model(job.start)[0]
        parts = {"tower": start.vision, "llm": start.llm}
        for name, module in modules.items():
            module.load_state_dict(parts[name].state_dict())
        return
    checkpoint = Checkpoint(job.folder(phase) / f"{phase}.pt")
    found = checkpoint.modules()
    for name, module in modules.items():
        fill(module, found, name, checkpoint.path)


def done(job: Job, phase: str) -> bool:
    """Whether a phase has run all its steps, here or where it is taken from."""
    if phase in job.held:
        return True
    state = Checkpoint(job.out / f"{phase}.pt").load()
    return state is not None and int(state["step"]) >= job.recipe.plans[phase].steps


def trained_model(job: Job) -> SemanticModel:
    """The model that phase 3 left, adapters merged."""
    model = SemanticModel(job.config)
    plain = SemanticModel(job.config).llm
    add_adapters(plain, job.recipe.lora_rank)
    fill_from(job, VISION, {"tower": model.vision})
    fill_from(job, JOINT, {"projector": model.projector, "codec": model.codec, "llm": plain})
    model.llm.load_state_dict({name: make() for name, make in merged(plain).items()})
    return model
