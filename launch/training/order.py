"""What a person asks of `m4sc train`, checked before anything is started, and then done."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.bundles.create import check_place
from launch.datasets.imdb import read_reviews
from launch.errors import LaunchError
from launch.folder_lock import alone_in
from launch.order_file import claim
from launch.training.compare import check_places
from launch.training.deepsc.run import PRESETS, DeepscJob, train_deepsc
from launch.training.published import ChatJob, read_chats, train_published
from launch.training.recipe import MICRO_JOINT_RECIPE, Recipe, recipe_of
from launch.training.run import Job, train_bundle
from launch.training.warm_start import started_sizes
from shared.semantic.bundle import Bundle
from shared.semantic.config import MICRO, SemanticConfig, at_split
from shared.shipped import bundle_folder

NOT_REPLACED = 1
#: What a preset, or another scheme than M4SC, is trained from: options that it needs, and that it takes.
SOURCES = {
    "micro": (("--data", "--imdb"), ("--from",)),
    "paper": (("--from", "--conversations", "--images"), ("--imdb",)),
    "deepsc": (("--imdb",), ()),
    "deepsc_vqa": (("--data",), ()),
}
OWN_SCHEME = "m4sc"
#: Schemes that are trained, apart from M4SC; each has one preset.
SCHEMES = tuple(PRESETS)


@dataclass(frozen=True, slots=True)
class Order:
    """`bundle` None: checkpoints only. `force` replaces a bundle that is there by a worse one too."""

    job: Job | ChatJob | DeepscJob
    workers: int
    bundle: Path | None
    force: bool

    def carry_out(self) -> bool:
        """Train to the end. False: the bundle that is there is better, and was left."""
        if isinstance(self.job, Job):
            return train_bundle(self.job, self.workers, self.bundle, self.force)
        if isinstance(self.job, DeepscJob):
            return train_deepsc(self.job, self.workers, self.bundle)
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
    scheme: str = OWN_SCHEME,
    split_layer: int | None = None,
) -> Order:
    """`sources` are what the options of `SOURCES` name; `split_layer` asks for phase 3 alone, cut there.

    Raises `LaunchError`, `DatasetError` or `BundleError`, one line, for what cannot be done.
    """
    # resolved: workers of Ray run in another folder
    named, kind = _named(preset, scheme)
    given = _sources(named, kind, {option: path for option, path in sources.items() if path is not None})
    recipe = recipe_of(kind, "--from" in given)
    if split_layer is not None:
        _check_split(split_layer, named, kind, given)
        recipe = MICRO_JOINT_RECIPE
    recipe = recipe.scaled(scale)
    job = _job(kind, given, recipe, out.resolve(), seed, split_layer)
    for name, plan in recipe.plans.items():
        if plan.rows % workers:
            raise LaunchError(
                f"--workers {workers}: phase {name} has {plan.rows} rows a step to share evenly"
            )
    if bundle is not None:
        if isinstance(job, DeepscJob):
            check_place(bundle, force, "--bundle")
        else:
            check_places(bundle, force, _fits(preset))
    asked = {option.removeprefix("--"): str(path) for option, path in given.items()}
    what = {"preset": preset} if scheme == OWN_SCHEME else {"scheme": scheme}
    cut = {} if split_layer is None else {"split_layer": split_layer}
    claim(out, {**what, **asked, **cut, "scale": scale, "seed": seed}, resume)
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


def _named(preset: str, scheme: str) -> tuple[str, str]:
    """What a person named, and the key of `SOURCES` that it stands for."""
    if scheme == OWN_SCHEME:
        if preset not in SOURCES or preset in SCHEMES:
            others = " or ".join(name for name in SOURCES if name not in SCHEMES)
            raise LaunchError(f"--preset {preset}: expected {others}")
        return f"--preset {preset}", preset
    if scheme not in SCHEMES:
        raise LaunchError(f"--scheme {scheme}: expected {', '.join((OWN_SCHEME, *SCHEMES))}")
    if preset != "micro":
        raise LaunchError(f"--preset {preset}: not with --scheme {scheme}, which has one preset")
    return f"--scheme {scheme}", scheme


def _sources(named: str, kind: str, given: dict[str, Path]) -> dict[str, Path]:
    """The given options' paths, all that are needed and no others."""
    needed, optional = SOURCES[kind]
    for option in needed:
        if option not in given:
            raise LaunchError(f"{named}: expected {option} (it needs {', '.join(needed)})")
    for option in given:
        if option not in (*needed, *optional):
            raise LaunchError(f"{option}: not with {named}, which takes {', '.join(needed + optional)}")
    found = {o: bundle_folder(str(path)) if o == "--from" else path for o, path in given.items()}
    for option, path in found.items():
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")
    return {option: path.resolve() for option, path in found.items()}


def _check_split(split_layer: int, named: str, kind: str, given: dict[str, Path]) -> None:
    """Raises `LaunchError` where there is no such cut, or nothing to cut."""
    option = f"--split-layer {split_layer}"
    if kind != MICRO.name:
        raise LaunchError(f"{option}: not with {named}, only with --preset {MICRO.name}")
    if "--from" not in given:
        raise LaunchError(f"{option}: expected --from, a bundle whose weights are cut there")
    if not 0 <= split_layer <= MICRO.llm.layers:
        raise LaunchError(f"{option}: expected 0 to {MICRO.llm.layers}")


def _job(
    preset: str, given: dict[str, Path], recipe: Recipe, out: Path, seed: int, split_layer: int | None
) -> Job | ChatJob | DeepscJob:
    """The job, its data read once."""
    if "--data" in given and not (given["--data"] / "scenes.jsonl").exists():
        raise LaunchError(
            f"--data {given['--data']}: no scenes.jsonl in it, expected a data set of `m4sc data`"
        )
    if preset in SCHEMES:
        source = given.get("--data") or given["--imdb"]
        if "--imdb" in given:
            read_reviews(source, split="train")
        return DeepscJob(PRESETS[preset], recipe, source, out, seed)
    if preset == "micro":
        data, imdb = given["--data"], given["--imdb"]
        read_reviews(imdb, split="train")
        config = MICRO if split_layer is None else at_split(MICRO, split_layer)
        if "--from" in given:
            config = started_sizes(given["--from"], config)
        return Job(config, recipe, data, imdb, out, seed, start=given.get("--from"))
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
