"""`m4sc experiment ablations`: what is asked is checked, then variants are made and measured, table by table.

What lies finished in `out` is used as it is, so the same call goes on where it was stopped.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.bundles.rerun import DataSets, run_summary
from launch.errors import LaunchError
from launch.experiments.make import bundle_folder, is_made, make_bundle
from launch.experiments.measure import Condition, Measured, RunSummary, conditions, find_data, measure
from launch.experiments.results import Results, read_results, write_results
from launch.experiments.tables import Tables
from launch.experiments.variants import GROUPS, TRACES, TRAINED, Source, names_of, variants_of
from launch.folder_lock import hold
from launch.order_file import ORDER_FILE, claim, read_order
from launch.training.material import TOKENS_FILE
from launch.training.recipe import recipe_of
from launch.training.run import LANGUAGE, TOKENIZER_FILE, VISION, Job, done
from launch.training.tuning import ALIGN, JOINT, TUNE
from launch.training.warm_start import started_sizes
from shared.semantic.config import MICRO, SemanticConfig

Progress = Callable[[str], None]
IMDB_DEV = "dev.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for. `reviews`: those that no variant is trained on."""

    source: Source
    data: Path
    imdb: Path
    reviews: Path
    out: Path
    share: float
    questions: int
    groups: tuple[str, ...]
    workers: int

    @property
    def sets(self) -> DataSets:
        """Scenes not used in training lie beside those that are."""
        return DataSets(self.data.parent, self.reviews)

    @property
    def command(self) -> str:
        """What a person types to have all tables again."""
        words = [
            "m4sc",
            "experiment",
            "ablations",
            "--train",
            str(self.source.folder),
            "--data",
            str(self.data),
        ]
        words += ["--imdb", str(self.imdb), "--out", str(self.out), "--share", f"{self.share:g}"]
        words += ["--questions", str(self.questions)]
        own = self.reviews == self.imdb.parent / IMDB_DEV
        return shlex.join([*words, *([] if own else ["--reviews", str(self.reviews)])])


def order(
    train: Path,
    data: Path,
    imdb: Path,
    reviews: Path | None,
    out: Path,
    share: float,
    questions: int,
    only: Sequence[str],
    workers: int,
) -> Order:
    """Raises `LaunchError` or `ConfigError`, one line that names the option, for what cannot be done."""
    for name in only:
        if name not in GROUPS:
            raise LaunchError(f"--only {name}: expected one of {', '.join(GROUPS)}")
    reviews = imdb.parent / IMDB_DEV if reviews is None else reviews
    for option, path in (("--data", data), ("--imdb", imdb), ("--reviews", reviews)):
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")
    if reviews.resolve() == imdb.resolve():
        raise LaunchError(f"--reviews {reviews}: the reviews trained on, expected others")
    if not (data / "scenes.jsonl").exists():
        raise LaunchError(f"--data {data}: no scenes.jsonl in it, expected a data set of `m4sc data`")
    groups = tuple(group for group in GROUPS if group in only or not only)
    source = source_of(train, whole=TRACES in groups)
    for name, plan in source.recipe.plans.items():
        if plan.rows % workers:
            raise LaunchError(
                f"--workers {workers}: phase {name} has {plan.rows} rows a step to share evenly"
            )
    wanted = Order(source, data, imdb, reviews, out, share, questions, groups, workers)
    for condition in conditions(questions).values():
        find_data(out, condition, wanted.sets)
    asked: dict[str, object] = {"train": str(train.resolve()), "data": str(data.resolve())}
    asked |= {"imdb": str(imdb.resolve()), "share": share}
    claim(out, asked, resume=(out / ORDER_FILE).exists())
    hold(out)
    return wanted


def source_of(train: Path, whole: bool) -> Source:
    """A folder of `m4sc train` with phase 0 done, `whole`: with all phases.

    Raises `LaunchError` or `BundleError`.
    """
    if not train.is_dir():
        raise LaunchError(f"--train {train}: no such folder, expected the --out of `m4sc train`")
    held = read_order(train)
    preset, scale, seed = held.get("preset"), held.get("scale"), held.get("seed")
    if preset != MICRO.name:
        raise LaunchError(f"--train {train}: preset {preset}, expected {MICRO.name}")
    if not isinstance(scale, int | float) or not isinstance(seed, int):
        raise LaunchError(f"--train {train}: {ORDER_FILE}: expected numbers for scale and seed")
    source = Source(train, sizes_of(held), recipe_of(MICRO.name, "from" in held).scaled(scale), seed)
    check_source(source, whole)
    return source


def sizes_of(held: Mapping[str, object]) -> SemanticConfig:
    """What a run's order trains: a run that went on from a bundle has the vision tower of that.

    Raises `LaunchError` or `BundleError` for a bundle that is not there any more, or has other sizes.
    """
    return started_sizes(Path(str(held["from"])), MICRO) if "from" in held else MICRO


def check_source(source: Source, whole: bool) -> None:
    """Raises `LaunchError` where a file or a phase is missing that is needed: phase 0, or (`whole`) all."""
    train = source.folder
    job = Job(source.config, source.recipe, train, train, train, source.seed)
    for file in (TOKENIZER_FILE, TOKENS_FILE):
        if not (train / file).exists():
            raise LaunchError(f"--train {train}: {file} is missing, expected a `m4sc train` after phase 0")
    for phase in source.recipe.plans if whole else (VISION, LANGUAGE):
        if not done(job, phase):
            raise LaunchError(f"--train {train}: phase {phase} is not finished, see `m4sc train --resume`")


class Ablations:
    """Makes and measures what an order needs. `make` and `run` do one variant and one run."""

    def __init__(
        self,
        wanted: Order,
        say: Progress,
        make: Callable[[Job, int], None] = make_bundle,
        run: RunSummary = run_summary,
    ) -> None:
        self._wanted, self._say, self._make, self._run = wanted, say, make, run
        self._variants = variants_of(wanted.source, wanted.share)

    def all(self) -> Results:
        """Every table asked for; files are written after each. Raises what training and runs raise."""
        wanted = self._wanted
        names = dict.fromkeys(name for group in wanted.groups for name in names_of(group, wanted.source))
        for number, name in enumerate(names, 1):
            self._bundle(name, f"[{number}/{len(names)}] variant {name}")
        tables = Tables(wanted.source, wanted.questions, wanted.share, self._measured)
        recipe = wanted.source.recipe.scaled(wanted.share)
        results = read_results(wanted.out)
        held = {} if results is None else dict(results.tables)
        for group in wanted.groups:
            self._say(f"table {group}")
            held[group] = tables.make(group)
            results = Results(
                command=wanted.command,
                share=wanted.share,
                steps={phase: recipe.plans[phase].steps for phase in (ALIGN, TUNE, JOINT)},
                seed=wanted.source.seed,
                tables=held,
            )
            write_results(wanted.out, results)
        assert results is not None
        return results

    def job(self, name: str) -> Job:
        """How a variant is trained."""
        wanted = self._wanted
        return self._variants[name].job(wanted.source, wanted.out, wanted.data, wanted.imdb)

    def _bundle(self, name: str, what: str) -> None:
        job = self.job(name)
        if is_made(job):
            self._say(f"{what}: is there")
            return
        self._say(f"{what}: {'its weights are written' if name == TRAINED else 'training'}")
        self._make(job, self._wanted.workers)

    def _measured(self, name: str, condition: Condition) -> Measured:
        job = self.job(name)
        folder = job.out / "runs" / condition.name
        self._say(f"{name}: {' '.join([condition.config, *condition.overrides])}")
        found = measure(bundle_folder(job), condition, folder, self._wanted.sets, self._run)
        figure = found.figure
        self._say(f"{name}: {100 * figure.value:.1f}% of {figure.n}")
        return found
