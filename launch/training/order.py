"""What a person asks of `m4sc train`, checked before anything is started, and then done."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.datasets.imdb import read_reviews
from launch.errors import LaunchError
from launch.folder_lock import alone_in
from launch.order_file import claim
from launch.training.compare import check_places
from launch.training.published import ChatJob, read_chats, train_published
from launch.training.recipe import Recipe, recipe_of
from launch.training.run import Job, train_bundle
from launch.training.warm_start import check_start
from shared.semantic.bundle import Bundle
from shared.semantic.config import MICRO, SemanticConfig
from shared.shipped import bundle_folder

NOT_REPLACED = 1
#: What a preset is trained from: the options that it needs, and those that it takes besides.
SOURCES = {
    "micro": (("--data", "--imdb"), ("--from",)),
    "paper": (("--from", "--conversations", "--images"), ("--imdb",)),
}


@dataclass(frozen=True, slots=True)
class Order:
    """`bundle` None: checkpoints only. `force` replaces a bundle that is there by a worse one too."""

    job: Job | ChatJob
    workers: int
    bundle: Path | None
    force: bool

    def carry_out(self) -> bool:
        """Train to the end. False: the bundle that is there is better, and was left."""
        if isinstance(self.job, Job):
            return train_bundle(self.job, self.workers, self.bundle, self.force)
        return train_published(self.job, self.workers, self.bundle, self.force)


def order(
    preset: str,
    sources: dict[str, Path | None],
    out: Path,
    bundle: Path | None,
    workers: int,
    scale: float,
    seed: int,
    resume: bool,
    force: bool,
) -> Order:
    """`sources` are what the options of `SOURCES` name.

    Raises `LaunchError`, `DatasetError` or `BundleError`, one line, for what cannot be done.
    """
    # resolved: workers of Ray run in another folder
    given = _sources(preset, {option: path for option, path in sources.items() if path is not None})
    recipe = recipe_of(preset, "--from" in given).scaled(scale)
    job = _job(preset, given, recipe, out.resolve(), seed)
    for name, plan in recipe.plans.items():
        if plan.rows % workers:
            raise LaunchError(
                f"--workers {workers}: phase {name} has {plan.rows} rows a step to share evenly"
            )
    if bundle is not None:
        check_places(bundle, force, _fits(preset))
    asked = {option.removeprefix("--"): str(path) for option, path in given.items()}
    claim(out, {"preset": preset, **asked, "scale": scale, "seed": seed}, resume)
    return Order(job, workers, bundle, force)


def carry_out(sources: dict[str, str | None], out: str, bundle: str | None, **options: Any) -> None:
    """Check an order and train to its end; exit code 1 where a better bundle was left in its place.

    Raises `LaunchError`, `DatasetError`, `BundleError`.
    """
    paths = {option: None if name is None else Path(name) for option, name in sources.items()}
    wanted = order(sources=paths, out=Path(out), bundle=None if bundle is None else Path(bundle), **options)
    with alone_in(wanted.job.out):
        if not wanted.carry_out():
            sys.exit(NOT_REPLACED)


def _sources(preset: str, given: dict[str, Path]) -> dict[str, Path]:
    """The given options' paths, all that are needed and no others."""
    if preset not in SOURCES:
        raise LaunchError(f"--preset {preset}: expected {' or '.join(SOURCES)}")
    needed, optional = SOURCES[preset]
    for option in needed:
        if option not in given:
            raise LaunchError(f"--preset {preset}: expected {option} (it needs {', '.join(needed)})")
    for option in given:
        if option not in (*needed, *optional):
            raise LaunchError(
                f"{option}: not with --preset {preset}, which takes {', '.join(needed + optional)}"
            )
    found = {o: bundle_folder(str(path)) if o == "--from" else path for o, path in given.items()}
    for option, path in found.items():
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")
    return {option: path.resolve() for option, path in found.items()}


def _job(preset: str, given: dict[str, Path], recipe: Recipe, out: Path, seed: int) -> Job | ChatJob:
    """The job, its data read once."""
    if preset == "micro":
        data, imdb = given["--data"], given["--imdb"]
        if not (data / "scenes.jsonl").exists():
            raise LaunchError(f"--data {data}: no scenes.jsonl in it, expected a data set of `m4sc data`")
        read_reviews(imdb, split="train")
        if "--from" in given:
            check_start(given["--from"], MICRO)
        return Job(MICRO, recipe, data, imdb, out, seed, start=given.get("--from"))
    start = given["--from"]
    found = Bundle.load(start).config.name
    if found != preset:
        raise LaunchError(f"--from {start}: config.json: name: expected {preset!r}, found {found!r}")
    job = ChatJob(start, recipe, given["--conversations"], given["--images"], given.get("--imdb"), out, seed)
    read_chats(job)
    return job


def _fits(preset: str) -> Callable[[SemanticConfig], bool]:
    """Whether a bundle can be asked what the new one is asked."""
    if preset == "micro":
        return lambda config: config.traces and config.image_tokens == MICRO.image_tokens
    return lambda config: not config.traces
