"""From options to tables and plot with made-up answers; books, workload, summaries and files are real."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.experiments.merging import RELATIONAL, FamilyRow, Merging, Row, measure, order, rows_of
from launch.experiments.merging_view import draw, family_table, table_of
from launch.run_files import read_run
from launch.runfolder import create_run_folder
from launch.summary import write_results
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.manifest import read_manifest
from tests.unit.launch.made_run import MadeRun, frame
from tests.unit.launch.training.tiny import plain_pictures

REQUESTS = 18
LOST = ("one_hop", "single_or")
WITHOUT_WITHIN = ("nowhere", "anywhere-split-0.95")


class Runs:
    """In for `run_summary`: merged across images, two of nine families are lost, and a frame is saved."""

    def __init__(self) -> None:
        self.configs: dict[str, RunConfig] = {}

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.configs[folder.name] = config
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        across = config.sharing.similar == "anywhere"
        made.event("bs", "encoded", public_tokens=10, private_tokens=80, merged_tokens=10 * across)
        if not across:
            made.down(frame(tuple(range(config.users)), 0, 0))
        for entry in read_run(folder).workload:
            first, *later = [
                "none of these" if across and question["family"] in LOST else question["expected"]
                for question in entry.get("questions") or [entry]
            ]
            made.request(entry["index"], entry["user"], first, later=later)
        made.drained()
        made.write_journal()
        fingerprint = read_manifest(Path(config.bundle)).fingerprint
        return write_results(folder, config, [], fingerprint=fingerprint)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    plain_pictures(root / "clevr-style-heldout", "heldout", 18)
    return root


def run(
    data: Path, out: Path, runs: Runs, wanted: list[Merging], seeds: int = 1, at_ue: bool = False
) -> tuple[list[Row], list[FamilyRow]]:
    sets = [f"workload.requests={REQUESTS}", f"workload.questions_per_image={2 if at_ue else 1}"]
    sets += ["question_at=ue"] if at_ue else []
    asked = order("measure", sets, wanted, DataSets(data), out, seeds=seeds)
    return measure(asked, lambda line: None, runs)


def test_each_row_is_held_against_its_own_reference(data: Path, tmp_path: Path) -> None:
    runs, out = Runs(), tmp_path / "out"
    run(data, out, runs, rows_of([2], ["split"], [0.99]))
    rows, families = run(data, out, runs, rows_of([2, 0], ["split", "projector"], [0.99]))
    assert list(runs.configs) == [
        f"k{split}-{kind}-s1"
        for split in (2, 0)
        for kind in (
            "nowhere",
            "within_image-split-0.99",
            "anywhere-split-0.99",
            "within_image-projector-0.99",
            "anywhere-projector-0.99",
        )
    ]
    config = runs.configs["k2-anywhere-projector-0.99-s1"]
    assert (config.split_layer, config.sharing.compare_at, config.sharing.cosine_threshold) == (
        2,
        "projector",
        0.99,
    )
    assert runs.configs["k2-nowhere-s1"].sharing.similar == "nowhere"
    nothing, within, merged = rows[:3]
    assert (nothing.uses_ratio, nothing.points, nothing.worst_family) == (None, None, None)
    assert (within.reference, within.uses_ratio, within.points) == ("k2-nowhere", 1.0, 0.0)
    assert merged.reference == within.row
    assert merged.merged_share == 0.1
    assert merged.uses_ratio == merged.downlink_uses / within.downlink_uses < 1
    assert merged.points == pytest.approx(-100 * 2 / 9, abs=0.01)
    assert merged.worst_family in ("one_hop", "single_or")
    assert merged.worst_family_loss_bound == 100.0
    assert merged.relational_loss_bound == pytest.approx(25.0, abs=0.01)
    assert merged.other_loss_bound == pytest.approx(20.0, abs=0.01)
    of_one = {family.family: family for family in families if family.row == "k2-anywhere-split-0.99"}
    assert {name for name, family in of_one.items() if family.loss} == {"one_hop", "single_or"}
    assert {name for name, family in of_one.items() if family.relational} == set(RELATIONAL)
    assert sum(family.n for family in of_one.values()) == REQUESTS
    with (out / "families.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 8 * 9
    draw(rows, out / "merging.png")
    assert (out / "merging.png").stat().st_size > 10_000
    console = Console(width=170, record=True, file=StringIO())
    console.print(table_of(rows), family_table(families))
    shown = console.export_text()
    assert shown.count("anywhere-projector-0.99") == 4
    assert "…" not in shown
    assert "-0.0" not in shown


def test_answers_of_several_seeds_are_pooled_and_one_more_seed_adds_its_runs(
    data: Path, tmp_path: Path
) -> None:
    runs, out = Runs(), tmp_path / "out"
    wanted = rows_of([2], ["split"], [0.95], ["anywhere"])
    run(data, out, runs, wanted, seeds=1)
    rows, families = run(data, out, runs, wanted, seeds=2)
    assert list(runs.configs) == [f"k2-{kind}-s{seed}" for seed in (1, 2) for kind in WITHOUT_WITHIN]
    texts = [{e["text"] for e in read_run(out / "rows" / f"k2-nowhere-s{seed}").workload} for seed in (1, 2)]
    assert texts[0] != texts[1]
    nothing, merged = rows
    assert merged.reference == nothing.row
    assert (nothing.seed, nothing.seeds, nothing.n, nothing.attempted) == (1, 2, 2 * REQUESTS, 2 * REQUESTS)
    assert merged.points == pytest.approx(-100 * 2 / 9, abs=0.01)
    assert {family.family: (family.n, family.loss) for family in families}["one_hop"] == (4, 100.0)


def test_every_question_asked_at_a_ue_is_compared(data: Path, tmp_path: Path) -> None:
    wanted = rows_of([2], ["split"], [0.95], ["anywhere"])
    rows, families = run(data, tmp_path / "out", Runs(), wanted, at_ue=True)
    assert rows[1].attempted < rows[1].n == REQUESTS
    assert sum(family.n for family in families) == REQUESTS
    assert {family.family for family in families if family.loss == 100.0} == set(LOST)


def test_what_cannot_be_done_is_one_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="--at nowhere: expected split or projector"):
        rows_of([2], ["nowhere"], [0.9])
    with pytest.raises(LaunchError, match="--similar nowhere: expected within_image or anywhere"):
        rows_of([2], ["split"], [0.9], ["nowhere"])
    with pytest.raises(LaunchError, match="split_layer is what the rows differ in"):
        order("measure", ["split_layer=1"], rows_of([2], ["split"], [0.9]), DataSets(data), tmp_path)
