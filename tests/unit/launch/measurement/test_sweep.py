"""From options to tables with made-up answers; books, workload, summaries and files are real."""

import csv
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.measurement.grid import Place, grid
from launch.measurement.order import Order
from launch.measurement.plots import draw
from launch.measurement.points import Point
from launch.measurement.rows import check_accounts, downlink_uses
from launch.measurement.sweep import measure, order
from launch.measurement.view import table_of
from launch.run_files import read_run
from launch.runfolder import create_run_folder, read_summary
from launch.summary import write_results
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.bundle import Bundle
from shared.semantic.manifest import BundleError
from shared.shipped import bundle_folder
from tests.unit.launch.made_run import PILOTS, PRIVATE_USES, PUBLIC_USES, MadeRun, frame
from tests.unit.launch.training.tiny import plain_pictures

REQUESTS = 18
SIDE_USES = 80
"""`MadeRun`'s."""


class Runs:
    """In for `run_summary`: with sharing one public frame and eight of nine answers right, else seven."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.names.append(folder.name)
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        if config.sharing.enabled and config.users > 1:
            made.down(frame(tuple(range(config.users)), 0, 0))
        right = 8 if config.sharing.enabled else 7
        for entry in read_run(folder).workload:
            answer = entry["expected"] if entry["index"] % 9 < right else "none of these"
            made.request(entry["index"], entry["user"], answer, control=None)
        made.drained()
        made.write_journal()
        return write_results(folder, config, [], fingerprint=Bundle.load(config.bundle).fingerprint)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    plain_pictures(root / "clevr-style-heldout", "heldout", 12)
    return root


def ordered(data: Path, out: Path, places: list[Place], *overrides: str) -> Order[Place]:
    out.mkdir(exist_ok=True)
    sets = [f"workload.requests={REQUESTS}", *overrides]
    return order("measure", sets, places, DataSets(data), out)


def test_rows_say_what_the_ledger_says_and_finished_ones_are_not_run_again(
    data: Path, tmp_path: Path
) -> None:
    run, out = Runs(), tmp_path / "out"
    first = grid([1, 3], [0.0], [15.0], [Point.parse("16x4")], [True])
    assert len(measure(ordered(data, out, first), lambda line: None, run)) == 2
    places = grid([1, 3], [0.0], [15.0], [Point.parse("16x4")], [True, False])
    rows = measure(ordered(data, out, places), lambda line: None, run)
    assert run.names == [places[0].name, places[2].name, places[1].name, places[3].name]
    shared, alone = rows[2], rows[3]
    assert (shared.public_uses, shared.pilots_uses) == (PUBLIC_USES, PILOTS * (REQUESTS + 1))
    assert (shared.private_uses, shared.side_uses) == (REQUESTS * PRIVATE_USES, REQUESTS * SIDE_USES)
    assert shared.downlink_uses - alone.downlink_uses == PUBLIC_USES + PILOTS
    assert shared.image_uses == 16 * 7
    assert (shared.attempted, shared.answered, shared.failed) == (REQUESTS, REQUESTS, 0)
    assert shared.uses_against_alone == pytest.approx(shared.downlink_uses / alone.downlink_uses)
    assert shared.points_against_alone is not None
    assert shared.points_against_alone > 0
    assert alone.uses_against_alone is None
    assert "--set rate.image_tokens=16" in shared.command
    assert f"--set workload.requests={REQUESTS}" in shared.command

    with (out / "measure.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == [place.name for place in places]
    assert parquet.read_table(out / "measure.parquet").num_rows == 4
    with (out / "users.csv").open() as file:
        users = [line for line in csv.DictReader(file) if line["row"] == shared.row]
    summary = read_summary(out / "rows" / shared.row)
    assert sum(int(u["channel_uses"]) for u in users) == summary["totals"]["channel_uses"]
    assert len(users) == 3

    assert draw(rows, out / "measure.png")
    assert (out / "measure.png").stat().st_size > 10_000
    assert table_of(rows).row_count == 4


def test_a_folder_holds_one_measurement(data: Path, tmp_path: Path) -> None:
    places = grid([1], [0.0], [15.0], [Point()], [True])
    ordered(data, tmp_path / "out", places)
    with pytest.raises(LaunchError, match="set was"):
        ordered(data, tmp_path / "out", places, "seed=5")


def test_without_a_second_value_on_any_axis_there_is_no_plot(data: Path, tmp_path: Path) -> None:
    places = grid([2], [0.0], [15.0], [Point()], [True])
    rows = measure(ordered(data, tmp_path / "out", places), lambda line: None, Runs())
    assert not draw(rows, tmp_path / "measure.png")
    assert not (tmp_path / "measure.png").exists()


def test_accounts_that_do_not_add_up_are_no_row(data: Path, tmp_path: Path) -> None:
    places = grid([2], [0.0], [15.0], [Point()], [True])
    wanted = ordered(data, tmp_path / "out", places)
    folder = tmp_path / "run"
    summary = Runs()(wanted.config_of(places[0]), folder)
    check_accounts("row", summary)
    assert sum(downlink_uses(read_run(folder).rows).values()) == summary["totals"]["channel_uses"]
    summary["users"][0]["channel_uses"] += 1
    with pytest.raises(LaunchError, match="row: channel_uses of users"):
        check_accounts("row", summary)


def test_an_image_chosen_by_the_question_has_no_price_of_its_own(data: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="--points all: with"):
        ordered(
            data, tmp_path / "out", grid([1], [0.0], [15.0], [Point()], [True]), "rate.selection=question"
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_scheme_with_weights_of_its_own_needs_their_folder(data: Path, tmp_path: Path) -> None:
    places = grid([1], [0.0], [15.0], [Point.parse("deepsc_vqa:x2")], [True])
    sets = DataSets(data)
    with pytest.raises(LaunchError, match="--points deepsc_vqa: expected --deepsc-vqa DIR too"):
        order("measure", [], places, sets, tmp_path / "out")
    weights = {"deepsc_vqa": bundle_folder("micro")}
    wanted = order(
        "measure",
        [],
        [*places, *grid([1], [0.0], [15.0], [Point()], [True])],
        sets,
        tmp_path / "out",
        weights,
    )
    assert wanted.config_of(places[0]).bundle == str(weights["deepsc_vqa"].absolute())
    assert f"--set bundle={weights['deepsc_vqa'].absolute()}" in wanted.command_of(places[0])
    with pytest.raises(BundleError, match="nowhere"):
        order("measure", [], places, sets, tmp_path / "out", {"deepsc_vqa": tmp_path / "nowhere"})
