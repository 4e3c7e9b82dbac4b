"""Load: which rates are tried, what is made of their requests; from options to files, answers made up."""

import json
from pathlib import Path
from typing import Any

import pytest

from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.experiments.load import (
    IN_A_ROW,
    Measured,
    Request,
    is_accounted,
    measure,
    order,
    recovered_after_s,
    stage_rows,
)
from launch.experiments.load_plan import Plan, Stage, bounds, search
from launch.experiments.load_view import draw, said, table_of
from launch.run_files import read_run
from launch.runfolder import create_run_folder
from launch.summary import write_results
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.manifest import read_manifest
from tests.unit.launch.made_run import MadeRun
from tests.unit.launch.training.tiny import plain_pictures

SERVED_PER_S = 5.0
"""What the made-up testbed answers at once; at a higher rate it is slow, and refuses every third."""


class Runs:
    """In for a run: quick where the request's own part asks little, else slow or busy."""

    def __init__(self) -> None:
        self.configs: dict[str, RunConfig] = {}

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.configs[folder.name] = config
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        rates, requests = config.workload.rates_per_s, config.workload.requests
        length_s = requests / sum(rates)
        for entry in read_run(folder).workload:
            rate = rates[min(int(entry["arrival_s"] / length_s), len(rates) - 1)]
            if rate > SERVED_PER_S and entry["index"] % 3 == 0:
                name = f"r{entry['index']:06d}"
                made.event("bs", "invoke", entry["user"], request_id=name, task="vqa", index=entry["index"])
                made.event("bs", "refused", entry["user"], request_id=name, reason="busy")
                continue
            made.request(entry["index"], entry["user"])
            made.events[-1]["latency_ms"] = 100.0 if rate <= SERVED_PER_S else 900.0
        made.drained()
        made.write_journal()
        fingerprint = read_manifest(Path(config.bundle)).fingerprint
        return write_results(folder, config, [], fingerprint=fingerprint)


def run(root: Path, out: Path, runs: Runs, plan: Plan) -> Measured:
    wanted = order("load", ["users=2"], plan, DataSets(root), out)
    return measure(wanted, plan, lambda line: None, runs)


def test_the_rate_is_found_the_overload_refused_and_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    plain_pictures(tmp_path / "clevr-style-heldout", "heldout", 12)
    runs, out = Runs(), tmp_path / "out"
    plan = Plan(1.0, (), steps=2, overload=2.0, requests=30)
    outcome = run(tmp_path, out, runs, plan).outcome
    steady = [row for row in outcome.rows if row.kind == "steady"]
    assert [row.rate_per_s for row in steady] == [1.0, 2.0, 4.0, 4.76, 5.66, 8.0]
    assert [row.in_time for row in steady] == [True, True, True, True, False, False]
    assert (outcome.highest_per_s, outcome.too_high_per_s) == (4.76, 5.66)
    assert steady[-1].busy == 10
    assert {row.lost for row in outcome.rows} == {0}

    before, over, after = (row for row in outcome.rows if row.kind != "steady")
    assert (before.rate_per_s, over.rate_per_s, after.rate_per_s) == (2.38, 11.3, 2.38)
    assert sum(row.attempted for row in (before, over, after)) == runs.configs[over.row].workload.requests
    assert over.busy > 0
    assert (before.busy, after.busy, before.other + over.other + after.other) == (0, 0, 0)
    assert (over.p99_ms, after.p99_ms, over.p99_ratio) == (900.0, 100.0, 9.0)
    assert outcome.recovered_after_s == 0.0
    assert json.loads((out / "load.json").read_text())["highest_per_s"] == 4.76

    done = dict(runs.configs)
    again = run(tmp_path, out, runs, plan)
    assert again.outcome == outcome
    assert runs.configs == done
    draw(again, out / "load.png")
    assert (out / "load.png").stat().st_size > 10_000
    assert table_of(outcome.rows).row_count == len(outcome.rows)
    assert "up to 4.76 a second; 5.66 a second are too many" in said(outcome)[0]


def test_rates_may_be_given_and_the_lowest_must_be_served(tmp_path: Path) -> None:
    plain_pictures(tmp_path / "clevr-style-heldout", "heldout", 12)
    plan = Plan(1.0, (8.0, 2.0), steps=2, overload=2.0, requests=20)
    outcome = run(tmp_path, tmp_path / "a", Runs(), plan).outcome
    assert [row.rate_per_s for row in outcome.rows if row.kind == "steady"] == [2.0, 8.0]
    with pytest.raises(LaunchError, match="9 requests a second are too many already"):
        run(tmp_path, tmp_path / "b", Runs(), Plan(9.0, (), 2, 2.0, 20))
    with pytest.raises(LaunchError, match=r"workload\.arrivals is what the rows differ in"):
        order("load", ["workload.arrivals=rounds"], plan, DataSets(), tmp_path / "c")


def test_the_search_ends() -> None:
    served: dict[float, bool] = {}
    while (rate := search(served, 1.0, 3)) is not None:
        served[rate] = rate < 100.0
        assert len(served) < 30
    low, high = bounds(served)
    assert high is not None
    assert low < 100.0 <= high <= 1.1 * low
    endless: dict[float, bool] = {}
    while (rate := search(endless, 1.0, 3)) is not None:
        endless[rate] = True
        assert len(endless) < 30
    assert search({1.0: False}, 1.0, 3) is None


def test_latency_of_a_part_is_that_of_its_own_requests() -> None:
    stage = Stage((1.0, 8.0, 1.0, 1.0), 110)
    came = [Request(t, 100.0, False) for t in range(10)]
    came += [Request(10 + t / 8, None if t % 2 else 500.0, bool(t % 2)) for t in range(80)]
    came += [Request(20.0 + t, 400.0 if t < 3 else 90.0, False) for t in range(21)]
    rows = stage_rows(stage, came, {"requests": {"lost": 0}}, 150.0, "m4sc run")
    assert [(row.kind, row.attempted, row.answered, row.busy) for row in rows] == [
        ("before", 10, 10, 0),
        ("over", 80, 40, 40),
        ("after", 21, 21, 0),
    ]
    assert [row.p50_ms for row in rows] == [100.0, 500.0, 90.0]
    assert [row.lasted_s for row in rows] == [10.0, 10.0, 20.0]
    assert rows[1].busy_share == 0.5
    assert recovered_after_s(stage, came, 300.0) == 3.0
    assert recovered_after_s(stage, came[: 90 + 3 + IN_A_ROW - 1], 300.0) is None


def test_only_refusals_excuse_a_run() -> None:
    assert is_accounted({"verdict": "valid", "findings": []})
    assert is_accounted({"verdict": "unknown", "findings": ["too few answered: 3 of 9"]})
    assert not is_accounted({"verdict": "unknown", "findings": ["too few answered: 3", "cut short: x"]})
    assert not is_accounted({"verdict": "invalid", "findings": ["lost: r1"]})
