"""`m4sc experiment merging`: what similar tokens save, and what it costs the answers.

Three kinds of rows: nothing is merged; tokens stand in for others of their own image; and for any. Each is
held against the kind before it, at the same threshold, so the last says what merging across images alone
does. Exact duplicates are sent once in all. A row is a run through the processes, or several with other
questions and other noise on the same images, of which the answers are pooled; what is finished is not run
again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from launch.bundles.rerun import DataSets, RunSummary, kept_or_run, run_summary
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.experiments.paired import difference, losses, pairs_of, scores_of
from launch.measurement.order import Order, check_own_keys, make_order
from launch.measurement.rows import downlink_uses, primary_figure, write_table
from launch.run_files import read_run
from launch.runfolder import read_summary
from launch.scoring import accuracy
from shared.config_file import load_config

TABLE_FILE, FAMILIES_FILE, PLOT_FILE = "merging.csv", "families.csv", "merging.png"
OWN_KEYS: Final = (
    "split_layer",
    "sharing.similar",
    "sharing.compare_at",
    "sharing.cosine_threshold",
    "sharing.enabled",
    "seed",
)
"""What the runs set of a configuration."""
RELATIONAL: Final = ("one_hop", "two_hop", "three_hop", "same_relate")
"""Families whose questions lead from one object to others."""

At = Literal["split", "projector"]
Similar = Literal["nowhere", "within_image", "anywhere"]
PLACES: Final[tuple[At, ...]] = ("split", "projector")
SIMILAR: Final[tuple[Similar, ...]] = ("within_image", "anywhere")


@dataclass(frozen=True, slots=True)
class Merging:
    """One row: where the model is cut, what is merged, where tokens are compared, how alike they must be.

    Without merging the last two are as they are by default.
    """

    split_layer: int
    similar: Similar = "nowhere"
    compare_at: At = "split"
    cosine: float = 1.0

    @property
    def name(self) -> str:
        how = "" if self.similar == "nowhere" else f"-{self.compare_at}-{self.cosine:g}"
        return f"k{self.split_layer}-{self.similar}{how}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A row's run with one seed."""

    row: Merging
    seed: int

    @property
    def name(self) -> str:
        """As a folder's name."""
        return f"{self.row.name}-s{self.seed}"

    @property
    def overrides(self) -> tuple[str, ...]:
        row = self.row
        values = (row.split_layer, row.similar, row.compare_at, row.cosine, "true", self.seed)
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured: the rows, references before what is held against them, and each one's runs."""

    runs: Order[Asked]
    rows: tuple[Merging, ...]

    def runs_of(self, row: Merging) -> list[Asked]:
        return [run for run in self.runs.places if run.row == row]

    def reference_of(self, row: Merging) -> Merging | None:
        """What a row is held against: within images before anywhere, nothing before both."""
        within = replace(row, similar="within_image")
        if row.similar == "anywhere" and within in self.rows:
            return within
        return None if row.similar == "nowhere" else Merging(row.split_layer)


class Row(BaseModel):
    """Of `seeds` runs, the first with `seed`; `command` gives that one.

    `uses_ratio`: channel uses of the downlink, repeated ones included, against those of `reference`.

    `points`: the paired difference in accuracy, mean of the families. `*_loss_bound`: the loss is at most so
    many points, one-sided 95%. None where nothing is merged, and where there are too few images.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    split_layer: int
    similar: Similar
    compare_at: At
    cosine: float
    seed: int
    seeds: int
    users: int
    attempted: int
    answered: int
    merged_share: float
    downlink_uses: int
    uses_per_request: float
    metric: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    reference: str | None = None
    uses_ratio: float | None = None
    points: float | None = None
    points_low: float | None = None
    points_high: float | None = None
    loss_bound: float | None = None
    relational_loss_bound: float | None = None
    other_loss_bound: float | None = None
    worst_family: str | None = None
    worst_family_loss_bound: float | None = None
    command: str


class FamilyRow(BaseModel):
    """A family of a row: paired loss in points against the row's reference, and its one-sided 95% bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    family: str
    relational: bool
    n: int
    loss: float
    loss_bound: float | None


def rows_of(
    splits: Iterable[int], at: Iterable[str], cosines: Iterable[float], similar: Iterable[str] = SIMILAR
) -> list[Merging]:
    """References before what is held against them. Raises `LaunchError`."""
    where: list[At] = []
    for word in at:
        if word not in PLACES:
            raise LaunchError(f"--at {word}: expected {' or '.join(PLACES)}, with a comma between")
        where.append("split" if word == "split" else "projector")
    asked = list(similar)
    for word in asked:
        if word not in SIMILAR:
            raise LaunchError(f"--similar {word}: expected {' or '.join(SIMILAR)}, with a comma between")
    found: dict[Merging, None] = {}
    thresholds = list(cosines)
    for split in splits:
        found[Merging(split)] = None
        for compare_at, cosine, where_from in product(where, thresholds, SIMILAR):
            if where_from in asked:
                found[Merging(split, where_from, compare_at, cosine)] = None
    return list(found)


def order(
    config: str,
    overrides: Sequence[str],
    rows: Sequence[Merging],
    sets: DataSets,
    out: Path,
    seed: int | None = None,
    seeds: int = 1,
) -> Wanted:
    """`seed` None: the configuration's; `seeds` count from there.

    Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done.
    """
    check_own_keys(overrides, OWN_KEYS)
    first = load_config(find_config(config), tuple(overrides)).seed if seed is None else seed
    runs = [Asked(row, number) for number in range(first, first + seeds) for row in rows]
    return Wanted(make_order(config, overrides, runs, sets, out), tuple(rows))


def measure(
    wanted: Wanted, say: Callable[[str], None], run: RunSummary = run_summary
) -> tuple[list[Row], list[FamilyRow]]:
    """All rows in order; the tables are written after all runs of a seed. Raises what a run raises."""
    from shared.semantic.manifest import read_manifest

    runs = wanted.runs
    fingerprint = read_manifest(runs.bundle).fingerprint
    done: list[Asked] = []
    for number, asked in enumerate(runs.places, 1):
        say(f"[{number}/{len(runs.places)}] {asked.name}")
        kept_or_run(runs.config_of(asked), runs.folder_of(asked), fingerprint, run)
        done.append(asked)
        if len(done) % len(wanted.rows) == 0:
            rows, families = _tables(wanted, len(done) // len(wanted.rows))
    return rows, families


def _tables(wanted: Wanted, seeds: int) -> tuple[list[Row], list[FamilyRow]]:
    """Of the first `seeds` runs of each row; written, too."""
    rows: list[Row] = []
    families: list[FamilyRow] = []
    for merging in wanted.rows:
        runs = wanted.runs_of(merging)[:seeds]
        row = _row_of(wanted, merging, runs)
        reference = wanted.reference_of(merging)
        if reference is not None:
            held = next(r for r in rows if r.row == reference.name)
            row, of_families = _against(wanted, runs, row, wanted.runs_of(reference)[:seeds], held)
            families += of_families
        rows.append(row)
    write_table(wanted.runs.out / TABLE_FILE, [row.model_dump() for row in rows])
    if families:
        write_table(wanted.runs.out / FAMILIES_FILE, [family.model_dump() for family in families])
    return rows, families


def _row_of(wanted: Wanted, merging: Merging, runs: Sequence[Asked]) -> Row:
    folders = [wanted.runs.folder_of(run) for run in runs]
    summaries = [read_summary(folder) for folder in folders]
    scored = [one for folder in folders for one in scores_of(folder).values()]
    pooled = {"name": merging.name, "accuracy": accuracy(scored, runs[0].seed)}
    metric, figure = primary_figure(pooled)
    uses = sum(sum(downlink_uses(read_run(folder).rows).values()) for folder in folders)
    attempted = sum(int(s["requests"]["attempted"]) for s in summaries)
    tokens = sum((Counter(s["tokens"]) for s in summaries), Counter[str]())
    used = tokens["merged_tokens"] + tokens["public_tokens"] + tokens["private_tokens"]
    return Row(
        row=merging.name,
        split_layer=merging.split_layer,
        similar=merging.similar,
        compare_at=merging.compare_at,
        cosine=merging.cosine,
        seed=runs[0].seed,
        seeds=len(runs),
        users=len(summaries[0]["users"]),
        attempted=attempted,
        answered=sum(int(s["requests"]["answered"]) for s in summaries),
        merged_share=tokens["merged_tokens"] / max(1, used),
        downlink_uses=uses,
        uses_per_request=uses / max(1, attempted),
        metric=metric,
        accuracy=figure.value,
        accuracy_low=figure.low,
        accuracy_high=figure.high,
        n=figure.n,
        command=wanted.runs.command_of(runs[0]),
    )


def _against(
    wanted: Wanted, runs: Sequence[Asked], row: Row, held_runs: Sequence[Asked], held: Row
) -> tuple[Row, list[FamilyRow]]:
    """The row with what it differs by from the one it is held against, and the same of every family."""
    pairs = [
        pair
        for run, other in zip(runs, held_runs, strict=True)
        for pair in pairs_of(wanted.runs.folder_of(run), wanted.runs.folder_of(other))
    ]
    found, lost = difference(pairs, row.seed), losses(pairs, row.seed)
    families = [
        FamilyRow(
            row=row.row,
            family=loss.family,
            relational=loss.family in RELATIONAL,
            n=loss.n,
            loss=loss.points,
            loss_bound=loss.bound,
        )
        for loss in lost.families
    ]
    names = [loss.family for loss in lost.families]
    worst = max(lost.families, key=lambda loss: loss.points if loss.bound is None else loss.bound)
    update = {
        "reference": held.row,
        "uses_ratio": row.downlink_uses / held.downlink_uses,
        "points": found.points,
        "points_low": found.low,
        "points_high": found.high,
        "loss_bound": lost.bound(names),
        "relational_loss_bound": lost.bound(RELATIONAL),
        "other_loss_bound": lost.bound([name for name in names if name not in RELATIONAL]),
        "worst_family": worst.family,
        "worst_family_loss_bound": worst.bound,
    }
    return row.model_copy(update=update), families
