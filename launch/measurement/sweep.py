"""`m4sc measure`: every row of the grid is a run through the processes; what is finished is not run again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from launch.bundles.rerun import DataSets, RunSummary, kept_or_run, run_summary
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.experiments.paired import paired_difference
from launch.measurement.grid import OWN_KEYS, Place
from launch.measurement.order import ROWS_FOLDER, Order, check_own_keys, make_order
from launch.measurement.rows import Row, row_of, user_lines, write_table
from launch.run_files import read_run
from shared.config_file import load_config
from shared.rate import prefix_uses

if TYPE_CHECKING:
    from shared.semantic.config import SemanticConfig

TABLE_FILE, USERS_FILE, PLOTS_FILE = "measure.csv", "users.csv", "measure.png"


def order(
    config: str, overrides: Sequence[str], places: Sequence[Place], sets: DataSets, out: Path
) -> Order[Place]:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_own_keys(overrides, OWN_KEYS)
    by_question = load_config(find_config(config), tuple(overrides)).rate.selection == "question"
    if by_question and any(place.point.image_tokens is None for place in places):
        raise LaunchError("--points all: with rate.selection 'question' expected numbers of image tokens")
    return make_order(config, overrides, places, sets, out)


def measure(wanted: Order[Place], say: Callable[[str], None], run: RunSummary = run_summary) -> list[Row]:
    """All rows in order; the tables are written after each. Raises what a run raises."""
    from shared.semantic.bundle import Bundle  # only now: torch takes seconds, and bad input none

    bundle = Bundle.load(wanted.bundle)
    rows: list[Row] = []
    users: list[dict[str, object]] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        folder = wanted.folder_of(place)
        summary = kept_or_run(wanted.config_of(place), folder, bundle.fingerprint, run)
        row = row_of(
            place, summary, read_run(folder).rows, image_uses(bundle.config, place), wanted.command_of(place)
        )
        rows.append(row)
        users += user_lines(row, summary)
        rows = [_against_alone(row, rows, wanted.out / ROWS_FOLDER) for row in rows]
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
        write_table(wanted.out / USERS_FILE, users)
    return rows


def image_uses(config: "SemanticConfig", place: Place) -> int:
    """Channel uses of one image at an operating point, sent once."""
    point = place.point
    tokens = config.image_tokens if point.image_tokens is None else point.image_tokens
    return min(tokens, config.image_tokens) * prefix_uses(config.uses_per_token, point.image_eighths)


def _against_alone(row: Row, rows: Sequence[Row], folders: Path) -> Row:
    """With what sharing changes, once there is the same row without it."""
    if not row.sharing or row.uses_against_alone is not None:
        return row
    key = (row.users, row.overlap, row.snr_db, row.point)
    twin = next((r for r in rows if not r.sharing and (r.users, r.overlap, r.snr_db, r.point) == key), None)
    if twin is None:
        return row
    found = paired_difference(folders / row.row, folders / twin.row, row.seed)
    return row.model_copy(
        update={
            "uses_against_alone": row.downlink_uses / twin.downlink_uses,
            "points_against_alone": found.points,
            "points_against_alone_low": found.low,
            "points_against_alone_high": found.high,
        }
    )
