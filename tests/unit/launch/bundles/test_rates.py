"""From measured rows to a bundle's rates, and rows that cannot be used."""

import shutil
from pathlib import Path

import pytest
import yaml

from launch.bundles.rates import rates_from, write_rates
from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.measurement.grid import grid
from launch.measurement.points import Point
from launch.measurement.sweep import TABLE_FILE, measure, order
from launch.runfolder import CONFIG_FILE
from shared.rate_table import read_rates
from shared.semantic.manifest import read_manifest
from shared.shipped import bundle_folder
from tests.unit.launch.measurement.test_sweep import REQUESTS, Runs
from tests.unit.launch.training.tiny import plain_pictures

WEIGHTS = read_manifest(bundle_folder("micro")).fingerprint


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    plain_pictures(tmp_path / "data" / "clevr-style-heldout", "heldout", 12)
    out = tmp_path / "measured"
    out.mkdir()
    places = grid(
        [1], [0.0], [5.0, 15.0], [Point.parse(text) for text in ("all", "16", "16x4", "answer_only")], [True]
    )
    sets = [f"workload.requests={REQUESTS}"]
    measure(order("measure", sets, places, DataSets(tmp_path / "data"), out), lambda line: None, Runs())
    return out


def test_rows_with_whole_tokens_become_points(measured: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle_folder("micro"), copy)
    table = write_rates(copy, measured)
    assert {(p.snr_db, p.image_tokens) for p in table.points} == {(s, k) for s in (5, 15) for k in (None, 16)}
    assert {p.n for p in table.points} == {REQUESTS}
    assert all(p.accuracy == pytest.approx(8 / 9, abs=1e-4) for p in table.points)
    assert read_rates(copy, WEIGHTS) == table


def test_rows_of_other_weights_other_air_or_none_are_refused(measured: Path) -> None:
    with pytest.raises(LaunchError, match="of other weights"):
        rates_from(measured, "0" * 64)
    with pytest.raises(LaunchError, match=f"elsewhere/{TABLE_FILE}: No such file"):
        rates_from(measured.parent / "elsewhere", WEIGHTS)
    config = next((measured / "rows").glob(f"*-all-*/{CONFIG_FILE}"))
    values = yaml.safe_load(config.read_text())
    values["channel"]["model"] = "rayleigh"
    config.write_text(yaml.safe_dump(values))
    with pytest.raises(LaunchError, match=r"channel\.model rayleigh, expected awgn"):
        rates_from(measured, WEIGHTS)
    values["channel"]["model"], values["rate"]["selection"] = "awgn", "question"
    config.write_text(yaml.safe_dump(values))
    with pytest.raises(LaunchError, match=r"rate\.selection question, expected salient"):
        rates_from(measured, WEIGHTS)


def test_an_snr_without_all_tokens_is_named(measured: Path) -> None:
    path = measured / TABLE_FILE
    kept = [line for line in path.read_text().splitlines() if "snr5-all-" not in line]
    assert len(kept) == 8
    path.write_text("\n".join(kept) + "\n")
    with pytest.raises(LaunchError, match="at 5 dB there is none with all image tokens"):
        rates_from(measured, WEIGHTS)


def test_the_shipped_rates_are_of_the_shipped_weights() -> None:
    table = read_rates(bundle_folder("micro"), WEIGHTS)
    assert {point.snr_db for point in table.points} == {0.0, 5.0, 10.0, 15.0, 20.0}
    assert min(point.n for point in table.points) >= 800
