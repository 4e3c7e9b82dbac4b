"""`m4sc measure`: every row of the grid is a run through the processes; what is finished is not run again."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launch.bundles.rerun import DataSets, NoData, RunSummary, kept_or_run, run_config, run_summary
from launch.cluster_check import checked
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.experiments.paired import paired_difference
from launch.measurement.grid import Place, check_overrides
from launch.measurement.rows import Row, row_of, user_lines, write_table
from launch.order_file import ORDER_FILE, claim
from launch.run_files import read_run
from shared.config import RunConfig
from shared.config_file import load_config
from shared.rate import prefix_uses
from shared.shipped import bundle_folder

if TYPE_CHECKING:
    from shared.semantic.config import SemanticConfig

TABLE_FILE, USERS_FILE, PLOTS_FILE, ROWS_FOLDER = "measure.csv", "users.csv", "measure.png", "rows"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for. `config` is a path or the name of a shipped configuration."""

    config: str
    overrides: tuple[str, ...]
    bundle: Path
    places: tuple[Place, ...]
    sets: DataSets
    out: Path

    def overrides_of(self, place: Place) -> tuple[str, ...]:
        return (*self.overrides, *place.overrides)

    def config_of(self, place: Place) -> RunConfig:
        """Raises `ConfigError`, or `LaunchError` where its data is not on this machine."""
        try:
            return checked(run_config(self.bundle, self.config, self.overrides_of(place), self.sets))
        except NoData as error:
            raise LaunchError(f"{place.name}: the run needs {error}") from None

    def command_of(self, place: Place) -> str:
        """What a person types to have this row's run alone."""
        config = self.config_of(place)
        root = () if config.workload.root is None else (f"workload.root={config.workload.root}",)
        sets = [word for o in (*self.overrides_of(place), *root) for word in ("--set", o)]
        return shlex.join(["m4sc", "run", self.config, *sets])


def order(config: str, overrides: Sequence[str], places: Sequence[Place], sets: DataSets, out: Path) -> Order:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_overrides(overrides)
    base = load_config(find_config(config), tuple(overrides))
    wanted = Order(config, tuple(overrides), bundle_folder(base.bundle), tuple(places), sets, out)
    for place in places:
        wanted.config_of(place)
    first = wanted.config_of(places[0])
    asked: dict[str, object] = {"config": config, "set": " ".join(overrides), "bundle": first.bundle}
    claim(out, asked, resume=(out / ORDER_FILE).exists())
    return wanted


def measure(wanted: Order, say: Callable[[str], None], run: RunSummary = run_summary) -> list[Row]:
    """All rows in order; the tables are written after each. Raises what a run raises."""
    from shared.semantic.bundle import Bundle  # only now: torch takes seconds, and bad input none

    bundle = Bundle.load(wanted.bundle)
    rows: list[Row] = []
    users: list[dict[str, object]] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        folder = wanted.out / ROWS_FOLDER / place.name
        summary = kept_or_run(wanted.config_of(place), folder, bundle.fingerprint, run)
        row = row_of(
            place, summary, read_run(folder).rows, image_uses(bundle.config, place), wanted.command_of(place)
        )
        rows.append(row)
        users += user_lines(row, summary)
        rows = [_against_alone(row, rows, wanted.out) for row in rows]
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
        write_table(wanted.out / USERS_FILE, users)
    return rows


def image_uses(config: "SemanticConfig", place: Place) -> int:
    """Channel uses of one image at an operating point, sent once."""
    point = place.point
    tokens = config.image_tokens if point.image_tokens is None else point.image_tokens
    return min(tokens, config.image_tokens) * prefix_uses(config.uses_per_token, point.image_eighths)


def _against_alone(row: Row, rows: Sequence[Row], out: Path) -> Row:
    """With what sharing changes, once there is the same row without it."""
    if not row.sharing or row.uses_against_alone is not None:
        return row
    key = (row.users, row.overlap, row.snr_db, row.point)
    twin = next((r for r in rows if not r.sharing and (r.users, r.overlap, r.snr_db, r.point) == key), None)
    if twin is None:
        return row
    found = paired_difference(out / ROWS_FOLDER / row.row, out / ROWS_FOLDER / twin.row, row.seed)
    return row.model_copy(
        update={
            "uses_against_alone": row.downlink_uses / twin.downlink_uses,
            "points_against_alone": found.points,
            "points_against_alone_low": found.low,
            "points_against_alone_high": found.high,
        }
    )
