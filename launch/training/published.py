"""Train a bundle that begins with published weights: phases 1 to 3 on conversations about pictures.

The same phases as those of the micro weights (`tuning`), from an existing bundle in place of phase 0. The
vision tower and the language model's own weights stay as they are; of several workers each holds a part of
the language model (`sharding`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from launch.datasets.errors import DatasetError
from launch.datasets.imdb import read_reviews
from launch.datasets.llava import Conversation, read_conversations
from launch.datasets.sample import Sample
from launch.training.chats import QUESTIONS, Chats, ChatTasks, judge_on_chats, kind_of
from launch.training.codec_start import start_codec
from launch.training.compare import save_unless_worse
from launch.training.corpus import reviews_for
from launch.training.curves import draw_curves
from launch.training.distributed import run_workers
from launch.training.forward import Stack
from launch.training.images import PARTS, part_of
from launch.training.language import Reviews
from launch.training.loop import Checkpoint, fill
from launch.training.lora import Adapters, adapters_of, add_adapters, merged
from launch.training.packing import Packer
from launch.training.parallel import Team
from launch.training.recipe import Recipe
from launch.training.sharding import shard_llm
from launch.training.tuning import JOINT, JUDGE_SNR_DB, PHASES, Learner, tune
from shared.semantic.bundle import Bundle, write_bundle
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

CURVES_FILE = "curves.png"
ROWS = 4
"""Sequences that a finished bundle is judged by at a time."""


@dataclass(frozen=True, slots=True)
class ChatJob:
    """What to train from, on what, where to. `imdb` None: without reviews."""

    start: Path
    recipe: Recipe
    conversations: Path
    images: Path
    imdb: Path | None
    out: Path
    seed: int = 0


def train_published(job: ChatJob, workers: int, bundle: Path | None = None, force: bool = False) -> bool:
    """All phases; then the bundle, if asked for. Everything already done in `job.out` is kept.

    False: the bundle that is there is better, and was left; `force` replaces it. Raises `BundleError`,
    `DatasetError`, `LaunchError`.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    read_chats(job)  # before workers are started
    run_workers(work, workers, job.out, job=job)
    draw_curves(job.out, job.out / CURVES_FILE)
    return True if bundle is None else _save(job, bundle, force)


def work(team: Team, job: ChatJob) -> None:
    """What one worker does in all phases."""
    torch.set_num_threads(1)
    start = Bundle.load(job.start)
    learner = make_learner(start, job, team.size)
    chats, reviews = read_chats(job)
    train, dev = (
        chats_of(job, part, chats, reviews, start.text_codec, learner.model) for part in ("train", "dev")
    )
    source = ChatTasks(learner, train, dev)
    for phase in PHASES:
        plan = job.recipe.plans[phase]
        fresh = not learner.model.codec.erasure_D.any()
        if phase == JOINT and fresh and not (job.out / f"{JOINT}.pt").exists():
            start_codec(learner, train.asked, plan.rows // team.size, job.seed)
        tune(team, phase, learner, source, plan, job.out, job.seed)
        team.wait()


def make_learner(start: Bundle, job: ChatJob, workers: int = 1) -> Learner:
    """The bundle's model; what is trained of it in float32, the rest in the bundle's own type and fixed."""
    model = start.model("all")
    torch.manual_seed(job.seed)
    add_adapters(model.llm, job.recipe.lora_rank)
    model.projector.float().requires_grad_(True)
    model.codec.requires_grad_(True)
    shard_llm(model.llm, workers)
    modules = {"projector": model.projector, "codec": model.codec, "adapters": Adapters(model.llm)}
    adapters = [*adapters_of(model.llm).values()]
    return Learner(model, Stack(model, False), adapters, modules, mixed=start.dtype == torch.bfloat16)


def read_chats(job: ChatJob) -> tuple[list[Conversation], list[Sample]]:
    """The conversations and the reviews of a job.

    Raises:
        DatasetError: a file cannot be used, or there is no question about a picture to train on, or none
            kept for choosing.
    """
    reviews = [] if job.imdb is None else read_reviews(job.imdb, split="train")
    chats = read_conversations(job.conversations, job.images)
    for part in ("train", "dev"):
        if not any(kind_of(chat) == QUESTIONS for n, chat in enumerate(chats) if part_of(n) == part):
            raise DatasetError(
                f"{job.conversations}: expected questions about pictures among those for {part} "
                f"(of every {PARTS} records the first is for dev, the second for test), found none"
            )
    return chats, reviews


def chats_of(
    job: ChatJob,
    part: str,
    chats: Sequence[Conversation],
    reviews: Sequence[Sample],
    codec: TextCodec,
    model: SemanticModel,
) -> Chats:
    """What a model learns from ('train'), or is judged by ('dev')."""
    llm = model.config.llm
    packer = Packer(Prompts(model.config, codec), codec, llm.bos_id, llm.eos_id, job.recipe.length)
    pool = Reviews(reviews_for(part, reviews), codec)
    return Chats.of_part(part, chats, pool, packer, model.vision)


def score(job: ChatJob, learner: Learner, codec: TextCodec) -> float:
    """In [0, 1]: the mean share of right words, on what is kept for choosing."""
    dev = chats_of(job, "dev", *read_chats(job), codec, learner.model)
    return judge_on_chats(learner, dev, JUDGE_SNR_DB, ROWS)["mean"]


def trained_learner(job: ChatJob) -> Learner:
    """What phase 3 left. Raises `TrainingError`."""
    learner = make_learner(Bundle.load(job.start), job)
    checkpoint = Checkpoint(job.out / f"{JOINT}.pt")
    found = checkpoint.modules()
    for name, module in learner.modules.items():
        fill(module, found, name, checkpoint.path)
    return learner


def _save(job: ChatJob, bundle: Path, force: bool) -> bool:
    start, learner = Bundle.load(job.start), trained_learner(job)
    made = {f"llm.{name}": make for name, make in merged(learner.model.llm).items()}
    kept = learner.model.state_dict()

    def tensor_of(name: str) -> Tensor:
        return made[name]() if name in made else kept[name]

    def write(place: Path) -> None:
        card = f"# {start.config.name}\n\nTrained from published weights. Not yet measured.\n"
        tokenizer = start.text_codec.tokenizer.to_str(pretty=True)
        write_bundle(place, start.config, tensor_of, tokenizer, card, start.dtype)

    def held_score() -> float:
        held = Bundle.load(bundle)
        model = held.model("all")
        mixed = held.dtype == torch.bfloat16
        return score(job, Learner(model, Stack(model, False), [], {}, mixed=mixed), held.text_codec)

    return save_unless_worse(bundle, write, lambda: score(job, learner, start.text_codec), held_score, force)
