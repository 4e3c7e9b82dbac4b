"""From a choice to tables, plots and page, with made-up answers; workloads, books and files are real."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from pyarrow import parquet

from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.experiments.paper import fig5, fig6
from launch.experiments.paper.page import write_fig5, write_fig6
from launch.experiments.paper.sheets import Work
from launch.run_files import read_run
from launch.runfolder import create_run_folder
from launch.summary import write_results
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.manifest import read_manifest
from tests.unit.launch.made_run import MadeRun, frame
from tests.unit.launch.training.tiny import few_reviews, plain_pictures
from tests.unit.shared.deepsc.tiny import TEXT, VQA, tiny_bundle

NOTEBOOK = Path(__file__).parents[4] / "docs" / "notebooks" / "fig6.ipynb"
RIGHT = {"m4sc": 9, "deepsc": 7, "deepsc_vqa": 7, "answer_only": 8, "webp_ldpc": 8}
"""Of ten answers."""


class Runs:
    """In for `run_summary`: every scheme as right as `RIGHT`, its requests of one private frame each."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.names.append(f"{folder.parent.parent.name}/{folder.name}")
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        if config.sharing.enabled and config.users > 1:
            made.down(frame(tuple(range(config.users)), 0, 0))
        for entry in read_run(folder).workload:
            answer = entry["expected"] if entry["index"] % 10 < RIGHT[config.scheme] else "none of these"
            made.request(entry["index"], entry["user"], answer, control=None)
        made.drained()
        made.write_journal()
        fingerprint = read_manifest(Path(config.bundle)).fingerprint
        return write_results(folder, config, [], fingerprint=fingerprint)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("place")
    plain_pictures(root / "clevr-style-heldout", "heldout", 12)
    few_reviews(root / "reviews.jsonl.gz", 40)
    tiny_bundle(root / "deepsc", TEXT)
    tiny_bundle(root / "deepsc_vqa", VQA)
    return root


def work_in(out: Path, place: Path, runs: Runs, said: list[str], *schemes: str) -> Work:
    weights = {scheme: place / scheme for scheme in schemes}
    ticks = iter(range(10_000))
    sets = DataSets(place, place / "reviews.jsonl.gz")
    return Work(out, sets, weights, said.append, runs, lambda: float(next(ticks)))


FIGURE_5 = replace(
    fig5.QUICK,
    snrs_db=(0.0, 10.0),
    fading_db=(),
    points=("18", "answer_only", "deepsc_vqa:x2"),
    requests=20,
    questions_per_image=2,
)


def test_figure_5_has_its_curves_tables_and_page_and_goes_on_where_it_was_stopped(
    place: Path, tmp_path: Path
) -> None:
    runs, said, out = Runs(), list[str](), tmp_path / "out"
    work = work_in(out, place, runs, said, "deepsc", "deepsc_vqa")
    choice = replace(FIGURE_5, points=("18", "deepsc_vqa:x2"), together_db=())
    fig5.measure(fig5.sheets(choice, (), work, with_reviews=False), work)
    assert said[0].startswith("4 runs, 0 of them there already; about ")
    assert "[4/4] vqa-awgn: users4-overlap0-snr10-deepsc_vqa-x2-sharing, about " in said[-1]
    before = len(runs.names)
    sheets = fig5.sheets(FIGURE_5, (), work, with_reviews=True)
    assert [sheet.name for sheet in sheets] == ["vqa-awgn", "vqa-awgn-together", "reviews-awgn"]
    found = fig5.measure(sheets, work)
    assert "17 runs, 4 of them there already" in said[before + 1]
    assert len(runs.names) == 17
    assert len(set(runs.names)) == 17

    rows = {(row.sheet, row.point, row.snr_db): row for row in found.rows}
    vqa = rows["vqa-awgn", "deepsc_vqa:x2", 0.0]
    assert vqa.image_uses == VQA.patches * 2
    assert f"--set bundle={place / 'deepsc_vqa'}" in vqa.command
    assert (rows["reviews-awgn", "deepsc", 0.0].accuracy, rows["reviews-awgn", "all", 0.0].accuracy) == (
        0.7,
        0.9,
    )
    pairs = [pair for pair in found.pairs if pair.rival == "deepsc"]
    assert [(pair.own, pair.points, pair.fits, pair.holds) for pair in pairs] == [
        ("m4sc", 20.0, True, True)
    ] * 2
    assert {need.sheet for need in found.needs} == {"vqa-awgn", "vqa-awgn-together", "reviews-awgn"}
    with (out / "fig5.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(found.rows) == 17
    assert all(line["command"].startswith("m4sc run ") and line["seed"] == "1" for line in lines)
    assert parquet.read_table(out / "fig5_equal_uses.parquet").num_rows == len(found.pairs)

    *plots, page = write_fig5(out, "m4sc experiment fig5", ["Left out: nobody."], sheets, found)
    assert all(plot.stat().st_size > 20_000 and plot.with_suffix(".svg").exists() for plot in plots)
    text = page.read_text()
    assert text.count("<svg") == 2
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:|//)", text), "nothing is loaded"
    for words in (
        "Left out: nobody.",
        "deepsc_vqa:x2",
        "as published",
        "m4sc, 18 tokens",
        "20 questions a row",
    ):
        assert words in text


def test_what_has_no_weights_is_no_curve_and_bad_input_begins_nothing(place: Path, tmp_path: Path) -> None:
    runs, out = Runs(), tmp_path / "out"
    work = work_in(out, place, runs, [])
    sheets = fig5.sheets(FIGURE_5, (), work, with_reviews=True)
    schemes = {place.point.scheme for sheet in sheets for place in sheet.places}
    assert schemes == {"m4sc", "answer_only", "webp_ldpc"}
    bad = fig5.sheets(FIGURE_5, ("users=3",), work, with_reviews=True)
    with pytest.raises(LaunchError, match="users is what the rows differ in"):
        fig5.measure(bad, work)
    nowhere = replace(work, sets=DataSets(place, tmp_path / "nowhere"))
    with pytest.raises(LaunchError, match="the run needs --imdb"):
        fig5.measure(sheets, nowhere)
    assert runs.names == []
    assert not out.exists()


def test_figure_6_measures_the_points_that_match_over_users_and_overlap(place: Path, tmp_path: Path) -> None:
    runs, said, out = Runs(), list[str](), tmp_path / "out"
    choice = replace(
        fig6.QUICK,
        users=(1, 3),
        points=("all", "18", "answer_only", "deepsc_vqa:x2"),
        accuracy_requests=20,
        requests=6,
    )
    found = fig6.measure(choice, ("seed=2",), work_in(out, place, runs, said, "deepsc_vqa"))
    assert [(one.scheme, one.reaches) for one in found.chosen] == [
        ("m4sc", True),
        ("answer_only", False),
        ("deepsc_vqa", False),
    ]
    answer = found.chosen[1]
    short = 100 * (found.chosen[0].accuracy - answer.accuracy)
    assert answer.why == f"its most accurate: {short:.1f} points below m4sc"
    assert f"answer_only: {100 * answer.accuracy:.1f}% of 20, {answer.why}" in said
    assert {row.seed for row in found.rows} == {2}
    places = {(row.users, row.overlap, row.sharing) for row in found.rows}
    assert places == {(1, 0.0, True), (3, 0.0, True), (3, 1.0, True), (3, 1.0, False)}
    assert len(found.rows) == 3 * 4
    shared = next(row for row in found.rows if row.users == 3 and row.overlap and row.sharing)
    assert fig6.round_uses(shared) == pytest.approx(3 * shared.downlink_uses / 6)
    assert shared.uses_against_alone is not None
    assert parquet.read_table(out / "fig6.parquet").num_rows == len(runs.names) == 4 + 12
    plot, page = write_fig6(out, "m4sc experiment fig6", [], found)
    assert plot.stat().st_size > 20_000
    text = page.read_text()
    assert text.count("<svg") == 1
    for words in ("each its own", answer.why, "overlap 1", "over its own, each alone"):
        assert words in text


@pytest.mark.timeout(240)
def test_the_notebook_works_out_figure_6_anew_from_the_ledgers(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its cells run, its own checks hold, and what it prints and draws are the experiment's numbers."""
    out = tmp_path / "out"
    choice = replace(fig6.QUICK, users=(1, 3), points=("18", "answer_only"), accuracy_requests=10, requests=6)
    found = fig6.measure(choice, ("seed=2",), work_in(out, place, Runs(), []))
    monkeypatch.setenv("M4SC_FIG6", str(out))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "results are not kept in the repository"
    NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = next(json.loads(o.text) for o in outputs if o.output_type == "stream" and '"uses"' in o.text)
    assert said["uses"] == pytest.approx([row.uses_per_request for row in found.rows])
    assert said["bytes"] == pytest.approx([row.wire_bytes_per_request for row in found.rows])
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
