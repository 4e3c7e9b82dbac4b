"""What a person asks of `m4sc train`, checked before anything is started, and then done."""

import json
from dataclasses import dataclass
from pathlib import Path

from launch.datasets.imdb import read_reviews
from launch.errors import LaunchError
from launch.training.recipe import MICRO_RECIPE
from launch.training.run import Job, train_bundle
from shared.semantic.config import MICRO

ORDER_FILE = "order.json"


@dataclass(frozen=True, slots=True)
class Order:
    job: Job
    workers: int
    bundle: Path | None


def order(
    preset: str,
    data: Path,
    imdb: Path,
    out: Path,
    bundle: Path | None,
    workers: int,
    scale: float,
    seed: int,
    resume: bool,
    force: bool,
) -> Order:
    """Raises `LaunchError` or `DatasetError`, one line, for what cannot be done."""
    if preset != "micro":
        raise LaunchError(f"--preset {preset}: expected micro (the recipe of other sizes is not known)")
    for option, path in (("--data", data), ("--imdb", imdb)):
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")
    if not (data / "scenes.jsonl").exists():
        raise LaunchError(f"--data {data}: no scenes.jsonl in it, expected a data set of `m4sc data`")
    read_reviews(imdb, split="train")
    recipe = MICRO_RECIPE.scaled(scale)
    for name, plan in recipe.plans.items():
        if plan.rows % workers:
            raise LaunchError(
                f"--workers {workers}: phase {name} has {plan.rows} rows a step to share evenly"
            )
    if bundle is not None and bundle.exists() and not force:
        raise LaunchError(f"--bundle {bundle}: exists; give --force to replace it")
    asked = {
        "preset": preset,
        "data": str(data.resolve()),
        "imdb": str(imdb.resolve()),
        "scale": scale,
        "seed": seed,
    }
    _claim(out, asked, resume)
    return Order(Job(MICRO, recipe, data, imdb, out, seed), workers, bundle)


def run_order(wanted: Order) -> None:
    train_bundle(wanted.job, wanted.workers, wanted.bundle)


def _claim(out: Path, asked: dict[str, object], resume: bool) -> None:
    """A folder holds one run: continuing it needs the same order."""
    path = out / ORDER_FILE
    if path.exists():
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise LaunchError(f"{path}: not JSON ({error})") from None
        if not resume:
            raise LaunchError(f"--out {out}: holds a run; give --resume or another folder")
        for name, value in asked.items():
            if held.get(name) != value:
                raise LaunchError(f"--out {out}: {name} was {held.get(name)!r} there, now it is {value!r}")
        return
    if resume:
        raise LaunchError(f"--out {out}: no run to continue in it")
    if out.exists() and any(out.iterdir()):
        raise LaunchError(f"--out {out}: not empty, and not a training run")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")
