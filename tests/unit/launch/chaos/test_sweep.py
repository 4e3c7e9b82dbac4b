"""Many seeds: each once, in order, and again only what is not there."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from launch.chaos.sweep import COUNTS, SweepOrder, run_all
from launch.chaos.sweep_view import sweep_view, write_lines
from launch.errors import Interrupted, LaunchError
from launch.runfolder import SUMMARY_FILE, create_run_folder
from shared.config import RunConfig
from shared.config_file import parse_config


class Runs:
    """Writes summaries; `verdicts` by seed."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.verdicts: dict[int, str] = {}
        self.stop_at: int | None = None

    def __call__(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        import json

        if config.seed == self.stop_at:
            raise Interrupted("stopped by SIGINT")
        self.done.append(config.seed)
        verdict = self.verdicts.get(config.seed, "valid")
        fault = {"fault": "kill.0", "on": "bs", "answer_after_s": config.seed / 10}
        summary = {
            "verdict": verdict,
            "exit_code": {"valid": 0, "invalid": 1, "unknown": 3}[verdict],
            "requests": dict.fromkeys(COUNTS, 5),
            "faults": [fault, {**fault, "fault": "loss.0", "on": None, "answer_after_s": None}],
            "findings": [] if verdict == "valid" else ["lost request: r1"],
        }
        create_run_folder(config, folder)
        (folder / SUMMARY_FILE).write_text(json.dumps(summary), encoding="utf-8")
        return summary


def wanted(seeds: range) -> dict[int, RunConfig]:
    return {seed: parse_config({"seed": seed}, "test") for seed in seeds}


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    order, runs, said = SweepOrder("c", "s", (), tmp_path / "out"), Runs(), list[str]()
    runs.stop_at = 3
    with pytest.raises(Interrupted):
        run_all(order, wanted(range(1, 5)), said.append, runs)
    assert runs.done == [1, 2]
    runs.stop_at = None
    lines = run_all(order, wanted(range(1, 5)), said.append, runs)
    assert runs.done == [1, 2, 3, 4]
    assert [line.seed for line in lines] == [1, 2, 3, 4]
    assert said[-1] == "[4/4] seed 4: valid, whole answers again 0.40 s after kill.0 on bs"


def test_another_scenario_needs_another_folder(tmp_path: Path) -> None:
    run_all(SweepOrder("c", "s", (), tmp_path / "out"), wanted(range(1, 2)), print, Runs())
    with pytest.raises(LaunchError, match="scenario was 's' there"):
        run_all(SweepOrder("c", "t", (), tmp_path / "out"), wanted(range(1, 2)), print, Runs())


def test_the_table_names_the_slowest_recovery_and_what_is_not_valid(tmp_path: Path) -> None:
    runs = Runs()
    runs.verdicts[2] = "invalid"
    lines = run_all(SweepOrder("c", "s", (), tmp_path / "out"), wanted(range(1, 4)), print, runs)
    console = Console(width=160, record=True)
    console.print(sweep_view(lines))
    text = console.export_text()
    assert "2 of 3 valid" in text
    assert "slowest recovery: 0.30 s after kill.0 on bs, seed 3" in text
    assert "seed 2: lost request: r1" in text
    table = write_lines(tmp_path, lines).read_text(encoding="utf-8").splitlines()
    assert table[0].startswith("seed,verdict,exit_code,faults,slowest,slowest_s,finding,folder,attempted")
    assert len(table) == 4
    assert (tmp_path / "sweep.parquet").exists()
