"""`m4sc bundle rates`: measured rows of `m4sc measure` become what `rate.target` chooses from."""

import csv
from pathlib import Path

import yaml
from pydantic import ValidationError

from launch.errors import LaunchError
from launch.measurement.points import OWN_SCHEME, Point
from launch.measurement.sweep import ROWS_FOLDER, TABLE_FILE
from launch.runfolder import CONFIG_FILE, read_summary
from shared.config_file import parse_config
from shared.rate import WHOLE, Prefixes
from shared.rate_table import RATES_FILE, MeasuredPoint, RateTable
from shared.semantic.manifest import read_manifest


def rates_from(measured: Path, fingerprint: str) -> RateTable:
    """The table that rows on AWGN with whole tokens give. Raises `LaunchError`, one line."""
    path = measured / TABLE_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise LaunchError(f"{path}: {error.strerror or error}") from None
    points: dict[tuple[float, int | None], MeasuredPoint] = {}
    try:
        for row in rows:
            point = Point.parse(row["point"])
            prefixes = Prefixes(point.size.image_eighths, point.size.text_eighths)
            if point.scheme != OWN_SCHEME or prefixes != WHOLE:
                continue
            _check(measured / ROWS_FOLDER / row["row"], fingerprint)
            found = MeasuredPoint(
                snr_db=float(row["snr_db"]),
                image_tokens=point.size.image_tokens,
                accuracy=float(row["accuracy"]),
                n=int(row["n"]),
            )
            if points.setdefault((found.snr_db, found.image_tokens), found) != found:
                raise LaunchError(f"{path}: row {row['row']}: its SNR and point were measured twice")
        return RateTable(fingerprint=fingerprint, points=tuple(points.values()))
    except (KeyError, ValueError) as error:
        message = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise LaunchError(f"{path}: {message}") from None


def write_rates(bundle: Path, measured: Path) -> RateTable:
    """Put them into the bundle. Raises `LaunchError`, `BundleError`, OSError."""
    table = rates_from(measured, read_manifest(bundle).fingerprint)
    partial = bundle / f"{RATES_FILE}.tmp"
    partial.write_text(table.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(bundle / RATES_FILE)
    return table


def _check(run: Path, fingerprint: str) -> None:
    """The row's run was of these weights, on AWGN, its tokens chosen for every question."""
    found = read_summary(run)["fingerprint"]
    if found != fingerprint:
        raise LaunchError(f"{run}: a run of other weights, {str(found)[:16]}")
    config = parse_config(yaml.safe_load((run / CONFIG_FILE).read_text(encoding="utf-8")), run.name)
    if config.channel.model != "awgn":
        raise LaunchError(f"{run}: channel.model {config.channel.model}, expected awgn")
    if config.rate.selection != "salient":
        raise LaunchError(f"{run}: rate.selection {config.rate.selection}, expected salient")
