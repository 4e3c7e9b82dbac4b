"""Is a new bundle worse than the one whose place it would take? Both are asked the same."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from launch.bundles.create import check_place
from launch.datasets.clevr_style.questions import FAMILIES
from launch.datasets.sample import Sample
from launch.errors import LaunchError
from launch.training.forward import Stack
from launch.training.images import load_pictures
from launch.training.language import LENGTH, Reviews
from launch.training.material import DEV_PICTURES, Material, judge_on_pictures, see
from launch.training.packing import Packer
from launch.training.tuning import JUDGE_SNR_DB
from shared.semantic.bundle import Bundle
from shared.semantic.config import SemanticConfig
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

ROWS = 8
"""Sequences that are judged at a time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for choosing: the pictures of a data set that no phase trains on, and reviews."""

    data: Path
    reviews: list[Sample]


def rejected_place(bundle: Path) -> Path:
    """Where a bundle that is worse is kept."""
    return bundle.with_name(f"{bundle.name}.rejected")


def check_places(bundle: Path, force: bool, fits: Callable[[SemanticConfig], bool]) -> None:
    """Nothing but bundles is replaced, and without `force` none that does not fit: that cannot be compared.

    Raises `LaunchError`, `BundleError`.
    """
    check_place(bundle, True, "--bundle")
    if force or not _holds_bundle(bundle):
        return
    check_place(rejected_place(bundle), True, "--bundle")
    config = Bundle.load(bundle).config
    if not fits(config):
        raise LaunchError(
            f"--bundle {bundle}: holds a bundle of other sizes ({config.name}) that cannot be compared; "
            "give --force to replace it"
        )


def save_unless_worse(
    bundle: Path,
    write: Callable[[Path], object],
    score: Callable[[], float],
    held_score: Callable[[], float],
    force: bool,
) -> bool:
    """`write` a bundle, or keep it beside the better one that is there; says so in a line. True: written.

    The scores, of the new one and of that which is there, are asked for only where there is a choice.
    """
    if force or not _holds_bundle(bundle):
        write(bundle)
        return True
    new, held = score(), held_score()
    figures = f"score {new:.4f}, that of the bundle there {held:.4f}"
    if new >= held:
        write(bundle)
        print(f"{bundle}: replaced: {figures}", flush=True)
        return True
    write(rejected_place(bundle))
    print(f"{bundle}: kept, the new one is worse: {figures}; it is in {rejected_place(bundle)}", flush=True)
    return False


def score_of(model: SemanticModel, text_codec: TextCodec, kept: Kept) -> float:
    """In [0, 1]: the mean of the families' shares of traces and answers that are right to the last word, and
    of reviews'; through AWGN of one SNR, on what is kept for choosing. Raises `LaunchError` without pictures.
    """
    llm = model.config.llm
    pictures = load_pictures(kept.data, model.config.vision.image_size, "dev", limit=DEV_PICTURES)
    if not len(pictures):
        raise LaunchError(f"{kept.data}: no pictures to choose by, expected one in forty to be kept for it")
    packer = Packer(Prompts(model.config, text_codec), text_codec, llm.bos_id, llm.eos_id, LENGTH)
    material = Material(pictures, see(model.vision, pictures), Reviews(kept.reviews, text_codec), packer)
    rows = min(ROWS, len(pictures))
    found = judge_on_pictures(model, Stack(model, compiled=False), material, JUDGE_SNR_DB, rows)
    named = [found[name] for name in (*FAMILIES, "review") if name in found]
    return sum(named) / len(named)


def _holds_bundle(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())
