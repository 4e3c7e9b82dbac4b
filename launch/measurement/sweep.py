"""`m4sc measure`: every row of the grid is a run through the processes; what is finished is not run again."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from launch.bundles.rerun import DataSets, RunSummary, is_measured, kept_or_run, run_measured
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.experiments.paired import paired_difference
from launch.measurement.grid import OWN_KEYS, Place
from launch.measurement.image_cost import image_uses
from launch.measurement.order import ROWS_FOLDER, Order, check_own_keys, claim_folder, plan_order
from launch.measurement.points import Point
from launch.measurement.rows import Row, row_of, user_lines, write_table
from launch.run_files import read_run
from shared.config_file import load_config
from shared.schemes import scheme_of
from shared.semantic.manifest import read_manifest

TABLE_FILE, USERS_FILE, PLOTS_FILE = "measure.csv", "users.csv", "measure.png"


def planned(
    config: str,
    overrides: Sequence[str],
    places: Sequence[Place],
    sets: DataSets,
    out: Path,
    weights: Mapping[str, Path] | None = None,
) -> Order[Place]:
    """`weights`: bundles of schemes that have their own, by scheme.

    Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done.
    """
    check_own_keys(overrides, OWN_KEYS)
    by_question = load_config(find_config(config), tuple(overrides)).rate.selection == "question"
    if by_question and any(place.point == Point() for place in places):
        raise LaunchError("--points all: with rate.selection 'question' expected numbers of image tokens")
    given = weights or {}
    for scheme in {place.point.scheme: None for place in places}:
        if scheme_of(scheme).own_weights and scheme not in given:
            option = f"--{scheme.replace('_', '-')}"
            raise LaunchError(f"--points {scheme}: expected {option} DIR too, a bundle of its weights")
    for bundle in given.values():
        read_manifest(bundle)
    return plan_order(config, overrides, places, sets, out, given)


def order(
    config: str,
    overrides: Sequence[str],
    places: Sequence[Place],
    sets: DataSets,
    out: Path,
    weights: Mapping[str, Path] | None = None,
) -> Order[Place]:
    """As `planned`, and the folder is claimed."""
    wanted = planned(config, overrides, places, sets, out, weights)
    claim_folder(wanted)
    return wanted


def measure(wanted: Order[Place], say: Callable[[str], None], run: RunSummary = run_measured) -> list[Row]:
    """All rows in order; the tables are written after each. Raises what a run raises.

    A scheme that fails on its air gives a row all the same: what was not answered is in its columns.
    """
    rows: list[Row] = []
    users: list[dict[str, object]] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        folder, config = wanted.folder_of(place), wanted.config_of(place)
        bundle = Path(config.bundle)
        summary = kept_or_run(config, folder, read_manifest(bundle).fingerprint, run, is_measured)
        uses = image_uses(bundle, place.point)
        row = row_of(place, summary, read_run(folder).rows, uses, wanted.command_of(place))
        rows.append(row)
        users += user_lines(row, summary)
        rows = [_against_alone(row, rows, wanted.out / ROWS_FOLDER) for row in rows]
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
        write_table(wanted.out / USERS_FILE, users)
    return rows


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
