"""Train DeepSC or DeepSC-VQA from nothing: all phases, continued from their checkpoints; then the bundle."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from launch.datasets.clevr_style.questions import FAMILIES, questions_for
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, imagine_scene
from launch.datasets.clevr_style.vocabulary import VALUES
from launch.datasets.imdb import ANSWERS, read_reviews
from launch.datasets.sample import Sample
from launch.errors import LaunchError
from launch.training.corpus import reviews_for, train_tokenizer
from launch.training.curves import draw_curves
from launch.training.deepsc.card import card_of
from launch.training.deepsc.text import NAME as TEXT
from launch.training.deepsc.text import ReviewPool, train_text
from launch.training.deepsc.vision import NAME as VISION
from launch.training.deepsc.vision import train_encoder
from launch.training.deepsc.vqa import NAME as VQA
from launch.training.deepsc.vqa import train_vqa
from launch.training.distributed import run_workers
from launch.training.images import load_pictures
from launch.training.loop import Checkpoint, fill, row_rng
from launch.training.parallel import Team
from launch.training.recipe import Recipe
from launch.training.record import LOG_FILE
from shared.deepsc.bundle import build, save_deepsc
from shared.deepsc.config import AnyDeepsc, DeepscConfig, DeepscVqaConfig
from shared.deepsc.vqa import DeepscVqa
from shared.semantic.config import MICRO
from shared.semantic.tokenizer import SPECIAL, UNKNOWN, TextCodec

TOKENIZER_FILE, CURVES_FILE = "tokenizer.json", "curves.png"
MOST_BYTES: Final = 25 * 10**6
DEV_PICTURES: Final = 200
_SCENES, _LEAST_VOCAB = 400, 128

#: Every answer to a question of the nine families.
VQA_ANSWERS: Final = (
    "yes",
    "no",
    *(str(number) for number in range(11)),
    *(value for values in VALUES.values() for value in values),
)
PRESETS: Final[dict[str, AnyDeepsc]] = {
    "deepsc": DeepscConfig(
        name="deepsc",
        vocab=MICRO.llm.vocab,
        text_tokens=MICRO.limits.text_tokens,
        answers=tuple(ANSWERS.values()),
    ),
    "deepsc_vqa": DeepscVqaConfig(name="deepsc_vqa", vocab=_LEAST_VOCAB, text_tokens=96, answers=VQA_ANSWERS),
}


@dataclass(frozen=True, slots=True)
class DeepscJob:
    """What to train, on what, where to. `data`: rendered pictures (deepsc_vqa) or reviews (deepsc)."""

    config: AnyDeepsc
    recipe: Recipe
    data: Path
    out: Path
    seed: int = 0


def train_deepsc(job: DeepscJob, workers: int, bundle: Path | None = None) -> bool:
    """All phases; then the bundle, if asked for. Everything already done in `job.out` is kept.

    Raises `Interrupted`, `DatasetError` and `LaunchError`.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    codec = tokenizer_of(job)
    if not all(_done(job, phase) for phase in job.recipe.plans):
        run_workers(work, workers, job.out, job=job, tokenizer=codec.tokenizer.to_str())
    if (job.out / LOG_FILE).exists():
        draw_curves(job.out, job.out / CURVES_FILE)
    if bundle is not None:
        _write(job, codec, bundle)
    return True


def work(team: Team, job: DeepscJob, tokenizer: str) -> None:
    """What one worker does in all phases."""
    torch.set_num_threads(1)
    codec, config, plans = TextCodec.from_text(tokenizer), job.config, job.recipe.plans
    if isinstance(config, DeepscConfig):
        pool, kept = (ReviewPool(_reviews(job, part), codec, config) for part in ("train", "dev"))
        train_text(team, config, pool, kept, plans[TEXT], job.out, job.seed)
        return
    pictures = load_pictures(job.data, config.image_size, "train")
    dev = load_pictures(job.data, config.image_size, "dev", limit=DEV_PICTURES)
    if not len(pictures):
        raise LaunchError(f"{job.data}: no pictures to train on")
    train_encoder(team, config, pictures, dev, plans[VISION], job.out, job.seed)
    torch.manual_seed(job.seed)
    model = DeepscVqa(config)
    seen = Checkpoint(job.out / f"{VISION}.pt")
    fill(model.sender.image.encoder, seen.modules(), "encoder", seen.path)
    compiled = job.recipe.compiled and shutil.which("g++") is not None
    train_vqa(team, config, model, codec, pictures, dev, plans[VQA], job.out, job.seed, compiled)


def tokenizer_of(job: DeepscJob) -> TextCodec:
    """Made once: of reviews the one that M4SC's is trained as; of questions their words, one token each."""
    path = job.out / TOKENIZER_FILE
    if not path.exists():
        text = isinstance(job.config, DeepscConfig)
        codec = train_tokenizer(_reviews(job, "train"), MICRO) if text else question_words()
        partial = path.with_suffix(".tmp")
        codec.tokenizer.save(str(partial))
        partial.replace(path)
    return TextCodec.from_file(path)


def question_words() -> TextCodec:
    """Lower case, punctuation apart; every word that a question about a scene may have."""
    splits = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation()])
    words = set(VQA_ANSWERS)
    for number in range(_SCENES):
        rng = row_rng(0, "words", 0, number)
        scene = imagine_scene(rng, 10, DEFAULT_RESOLUTION)
        for question in questions_for(scene, rng, FAMILIES, 10):
            words |= {word for word, _ in splits.pre_tokenize_str(question.question.lower())}
    vocab = {word: place for place, word in enumerate([*SPECIAL, *sorted(words - set(SPECIAL))])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = splits
    return TextCodec(tokenizer)


def _reviews(job: DeepscJob, part: str) -> list[Sample]:
    return reviews_for(part, read_reviews(job.data, split="train"))


def _done(job: DeepscJob, phase: str) -> bool:
    state = Checkpoint(job.out / f"{phase}.pt").load()
    return state is not None and int(state["step"]) >= job.recipe.plans[phase].steps


def _write(job: DeepscJob, codec: TextCodec, bundle: Path) -> None:
    """The bundle with its card, and the curves beside the weights. Raises `LaunchError` for one too large."""
    model = build(job.config)
    last = Checkpoint(job.out / f"{job.config.scheme}.pt")
    fill(model, last.modules(), "model", last.path)
    parameters = {
        name: sum(p.numel() for p in end.parameters())
        for name, end in (("sender", model.sender), ("receiver", model.receiver))
    }
    if 2 * sum(parameters.values()) > MOST_BYTES:
        raise LaunchError(f"--bundle {bundle}: more than {MOST_BYTES:,} bytes of weights")
    save_deepsc(bundle, model, job.config, codec, card_of(job.config, job.recipe, parameters, job.out))
    if (job.out / CURVES_FILE).exists():
        (bundle / CURVES_FILE).write_bytes((job.out / CURVES_FILE).read_bytes())
