"""From options to table and plot with made-up answers; what is not marked as it is stops the experiment."""

import csv
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from launch.bundles.rerun import DataSets
from launch.errors import LaunchError
from launch.experiments.erasures import Loss, Row, check_losses, check_marks, losses, measure, order
from launch.experiments.erasures_view import draw, table_of
from launch.run_files import read_run
from launch.runfolder import create_run_folder
from launch.summary import write_results
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.manifest import read_manifest
from tests.unit.launch.made_run import MadeRun
from tests.unit.launch.training.tiny import plain_pictures

REQUESTS = 18
ERASED = 3
"""Tokens of every request of a run with losses; one more arrives."""


class Runs:
    """In for `run_summary`: with losses seven of nine answers right, else eight."""

    def __init__(self) -> None:
        self.configs: dict[str, RunConfig] = {}

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.configs[folder.name] = config
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        erased = ERASED if config.channel.faults else 0
        for entry in read_run(folder).workload:
            answer = entry["expected"] if entry["index"] % 9 < (7 if erased else 8) else "none of these"
            control = None if erased else "nothing"
            made.request(entry["index"], entry["user"], answer, control=control, erased=erased)
        made.drained()
        made.write_journal()
        fingerprint = read_manifest(Path(config.bundle)).fingerprint
        return write_results(folder, config, [], fingerprint=fingerprint)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    plain_pictures(root / "clevr-style-heldout", "heldout", 12)
    return root


def run(data: Path, out: Path, runs: Runs, percents: list[float]) -> list[Row]:
    places = losses(["bernoulli", "burst"], percents, 16.0, 1)
    wanted = order("measure", [f"workload.requests={REQUESTS}"], places, DataSets(data), out)
    return measure(wanted, lambda line: None, runs)


def test_rows_have_the_share_of_the_journal_and_go_on_where_they_were_stopped(
    data: Path, tmp_path: Path
) -> None:
    runs, out = Runs(), tmp_path / "out"
    assert [row.row for row in run(data, out, runs, [0, 50])] == ["none-0", "bernoulli-50", "burst16-50"]
    rows = run(data, out, runs, [0, 5, 50])
    assert len(runs.configs) == 5
    whole, lossy = rows[0], rows[1]
    assert (whole.answered, whole.degraded, whole.erased_tokens) == (REQUESTS, 0, 0)
    assert (lossy.answered, lossy.degraded) == (0, REQUESTS)
    assert lossy.erased_share == ERASED / (ERASED + 1)
    assert (whole.accuracy > lossy.accuracy, whole.control, lossy.control) == (True, 0.0, None)
    assert whole.against_whole is None
    assert lossy.against_whole is not None
    assert lossy.against_whole < 0
    config = runs.configs["burst16-5"]
    assert (config.retransmission.max_attempts, config.channel.tokens_per_frame) == (1, 1)
    (fault,) = config.channel.faults
    assert fault.fault == "burst_loss"
    assert fault.turn_good == 1 / 16
    assert fault.turn_bad / (fault.turn_bad + fault.turn_good) == pytest.approx(0.05)

    with (out / "erasures.csv").open() as file:
        assert [line["row"] for line in csv.DictReader(file)] == [row.row for row in rows]
    assert parquet.read_table(out / "erasures.parquet").num_rows == 5
    draw(rows, out / "erasures.png")
    assert (out / "erasures.png").stat().st_size > 10_000
    assert table_of(rows).row_count == 5


def test_an_answer_from_erased_tokens_that_says_nothing_of_it_stops_the_experiment(tmp_path: Path) -> None:
    made = MadeRun(tmp_path)
    made.request(0, 0)
    made.request(1, 1, erased=2)
    assert check_marks("run", made.events) == (4, 2)
    end = made.events[-1]
    end["event"] = "ok"
    with pytest.raises(LaunchError, match=r"run: r000001 ended as ok with 2 erased tokens .* digests differ"):
        check_marks("run", made.events)
    end["erased_tokens"] = 0
    made.events[-3]["erased_tokens"] = 0  # the UE is silent about it: the digest is not
    with pytest.raises(LaunchError, match="r000001 ended as ok with 0 erased tokens"):
        check_marks("run", made.events)


def test_the_ledgers_losses_are_the_erased_tokens(tmp_path: Path) -> None:
    made = MadeRun(tmp_path)
    made.request(0, 0, erased=2)
    check_losses("run", made.rows(), 2, 1)
    check_losses("run", made.rows(), 7, 4)
    for erased, frame in ((1, 1), (3, 1), (9, 4)):
        with pytest.raises(LaunchError, match=f"run: {erased} tokens are erased, the ledger has 2 lost"):
            check_losses("run", made.rows(), erased, frame)


def test_what_makes_no_row_is_said_in_one_line() -> None:
    assert losses(["burst"], [0, 50], 4.0, 4)[1:] == [Loss("burst", 50, 4.0, 4)]
    with pytest.raises(LaunchError, match="--burst 2: expected at least --frame"):
        losses(["burst"], [5], 2.0, 4)
    with pytest.raises(LaunchError, match="--loss 80: bursts of 2 tokens cannot lose so many"):
        losses(["burst"], [80], 2.0, 1)
    with pytest.raises(LaunchError, match="--kinds some: expected bernoulli or burst"):
        losses(["some"], [5], 16.0, 1)
    with pytest.raises(LaunchError, match=r"channel\.faults is what the rows differ in"):
        order("measure", ["channel.faults=[]"], losses(["burst"], [5], 16.0, 1), DataSets(), Path("x"))
