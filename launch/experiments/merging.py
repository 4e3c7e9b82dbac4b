"""`m4sc experiment merging`: what similar tokens save, and what it costs the answers.

Three kinds of rows: nothing is merged; tokens stand in for others of their own image; and for any. Each is
held against the kind before it, at the same threshold, so the last says what merging across images alone
does. Exact duplicates are sent once in all. Every row is a run through the processes; what is finished is
not run again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from launch.bundles.rerun import DataSets, RunSummary, kept_or_run, run_summary
from launch.errors import LaunchError
from launch.experiments.paired import paired_difference, paired_losses
from launch.measurement.order import ROWS_FOLDER, Order, check_own_keys, make_order
from launch.measurement.rows import downlink_uses, primary_figure, write_table
from launch.run_files import read_run

TABLE_FILE, FAMILIES_FILE, PLOT_FILE = "merging.csv", "families.csv", "merging.png"
OWN_KEYS: Final = (
    "split_layer",
    "sharing.similar",
    "sharing.compare_at",
    "sharing.cosine_threshold",
    "sharing.enabled",
)
"""What the rows set of a configuration."""
RELATIONAL: Final = ("one_hop", "two_hop", "three_hop", "same_relate")
"""Families whose questions lead from one object to others."""

At = Literal["split", "projector"]
Similar = Literal["nowhere", "within_image", "anywhere"]
PLACES: Final[tuple[At, ...]] = ("split", "projector")


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
        """As a folder's name."""
        how = "" if self.similar == "nowhere" else f"-{self.compare_at}-{self.cosine:g}"
        return f"k{self.split_layer}-{self.similar}{how}"

    @property
    def overrides(self) -> tuple[str, ...]:
        values = (self.split_layer, self.similar, self.compare_at, self.cosine, "true")
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))

    @property
    def reference(self) -> "Merging | None":
        """What it is held against."""
        if self.similar == "anywhere":
            return replace(self, similar="within_image")
        return Merging(self.split_layer) if self.similar == "within_image" else None


class Row(BaseModel):
    """`uses_ratio`: channel uses of the downlink, repeated ones included, against those of `reference`.

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


def places(splits: Iterable[int], at: Iterable[str], cosines: Iterable[float]) -> list[Merging]:
    """References before what is held against them. Raises `LaunchError`."""
    where: list[At] = []
    for word in at:
        if word not in PLACES:
            raise LaunchError(f"--at {word}: expected {' or '.join(PLACES)}, with a comma between")
        where.append("split" if word == "split" else "projector")
    kinds: tuple[Similar, ...] = ("within_image", "anywhere")
    found: dict[Merging, None] = {}
    thresholds = list(cosines)
    for split in splits:
        found[Merging(split)] = None
        for compare_at, cosine, similar in product(where, thresholds, kinds):
            found[Merging(split, similar, compare_at, cosine)] = None
    return list(found)


def order(
    config: str, overrides: Sequence[str], wanted: Sequence[Merging], sets: DataSets, out: Path
) -> Order[Merging]:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_own_keys(overrides, OWN_KEYS)
    return make_order(config, overrides, wanted, sets, out)


def measure(
    wanted: Order[Merging], say: Callable[[str], None], run: RunSummary = run_summary
) -> tuple[list[Row], list[FamilyRow]]:
    """All rows in order; the tables are written after each. Raises what a run raises."""
    from shared.semantic.manifest import read_manifest

    fingerprint = read_manifest(wanted.bundle).fingerprint
    rows: list[Row] = []
    families: list[FamilyRow] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        summary = kept_or_run(wanted.config_of(place), wanted.folder_of(place), fingerprint, run)
        row = _row_of(wanted, place, summary)
        if place.reference is not None:
            reference = next(r for r in rows if r.row == place.reference.name)
            row, losses = _against(wanted, place, row, reference)
            families += losses
        rows.append(row)
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
        if families:
            write_table(wanted.out / FAMILIES_FILE, [family.model_dump() for family in families])
    return rows, families


def _row_of(wanted: Order[Merging], place: Merging, summary: dict[str, Any]) -> Row:
    metric, figure = primary_figure(summary)
    uses = sum(downlink_uses(read_run(wanted.folder_of(place)).rows).values())
    requests, tokens = summary["requests"], summary["tokens"]
    attempted = int(requests["attempted"])
    used = tokens["merged_tokens"] + tokens["public_tokens"] + tokens["private_tokens"]
    return Row(
        row=place.name,
        split_layer=place.split_layer,
        similar=place.similar,
        compare_at=place.compare_at,
        cosine=place.cosine,
        seed=summary["seed"],
        users=len(summary["users"]),
        attempted=attempted,
        answered=int(requests["answered"]),
        merged_share=tokens["merged_tokens"] / max(1, used),
        downlink_uses=uses,
        uses_per_request=uses / max(1, attempted),
        metric=metric,
        accuracy=figure.value,
        accuracy_low=figure.low,
        accuracy_high=figure.high,
        n=figure.n,
        command=wanted.command_of(place),
    )


def _against(wanted: Order[Merging], place: Merging, row: Row, reference: Row) -> tuple[Row, list[FamilyRow]]:
    """The row with what it differs by from its reference, and the same of every family."""
    one, other = wanted.folder_of(place), wanted.out / ROWS_FOLDER / reference.row
    found = paired_difference(one, other, row.seed)
    losses = paired_losses(one, other, row.seed)
    families = [
        FamilyRow(
            row=row.row,
            family=loss.family,
            relational=loss.family in RELATIONAL,
            n=loss.n,
            loss=loss.points,
            loss_bound=loss.bound,
        )
        for loss in losses.families
    ]
    names = [loss.family for loss in losses.families]
    worst = max(losses.families, key=lambda loss: loss.points if loss.bound is None else loss.bound)
    return (
        row.model_copy(
            update={
                "reference": reference.row,
                "uses_ratio": row.downlink_uses / reference.downlink_uses,
                "points": found.points,
                "points_low": found.low,
                "points_high": found.high,
                "loss_bound": losses.bound(names),
                "relational_loss_bound": losses.bound(RELATIONAL),
                "other_loss_bound": losses.bound([name for name in names if name not in RELATIONAL]),
                "worst_family": worst.family,
                "worst_family_loss_bound": worst.bound,
            }
        ),
        families,
    )
