"""Plots over time of a made run: every ending is there, faults have their rows and windows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launch.report.history import read_history
from launch.report.over_time import MAX_FAULT_ROWS, fault_rows, latency_over_time, pss_over_time
from launch.report.page import write_report
from launch.resources.sampler import COLUMNS, RESOURCES_FILE
from launch.summary import write_results
from tests.unit.launch.made_run import MadeRun
from tests.unit.launch.test_summary import ROLES, config, workload


@pytest.fixture
def run(tmp_path: Path) -> MadeRun:
    workload(tmp_path)
    made = MadeRun(tmp_path)
    made.event("agent", "fault", what="begin", fault="loss.0", strikes=0)
    made.run()
    last = next(e for e in reversed(made.events) if e["event"] == "ok")
    last |= {"event": "expired", "reason": "deadline"}
    del last["latency_ms"]
    made.event("agent", "fault", what="end", fault="loss.0", strikes=3)
    made.write_journal()
    rows = [
        f"{t / 100:.2f},{name},{1000000 + t},9,2,0.1" for t in range(9) for name in ("bs,-1,0,1", "ue,0,0,2")
    ]
    (tmp_path / RESOURCES_FILE).write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    return made


def fault(name: str, begin_s: float | None, end_s: float | None, on: str | None = None) -> dict[str, Any]:
    return {"fault": name, "on": on, "begin_s": begin_s, "end_s": end_s}


def test_requests_are_where_the_journal_has_them(run: MadeRun) -> None:
    history = read_history(run.folder, 3)
    invoked = [e["t"] for e in run.events if e["event"] == "invoke"]
    assert [e.state for e in history.endings] == ["answered"] * 5 + ["expired"]
    assert history.endings[0].latency_ms == 40.0
    end = next(e for e in run.events if e["event"] == "expired")
    assert history.zero_s == min(invoked)
    assert history.endings[-1].t_s == pytest.approx(end["t"] - history.zero_s)
    assert history.endings[-1].latency_ms == pytest.approx(1e3 * (end["t"] - invoked[-1]))


def test_the_report_has_both_plots_with_states_processes_and_faults(run: MadeRun) -> None:
    summary = write_results(run.folder, config(), ROLES)
    assert [(line["role"], line["user"], line["samples"]) for line in summary["resources"]] == [
        ("bs", -1, 9),
        ("ue", 0, 9),
    ]
    page = write_report(run.folder).read_text()
    for words in (
        "answered (5)",
        "expired (1)",
        "memory (PSS) of each process",
        ">loss<",
        "ue-0",
        "fds last",
    ):
        assert words in page, words


def test_a_run_that_was_not_sampled_has_no_such_section(run: MadeRun) -> None:
    (run.folder / RESOURCES_FILE).unlink()
    assert write_results(run.folder, config(), ROLES)["resources"] == []
    page = write_report(run.folder).read_text()
    assert "answered (5)" in page
    assert "memory (PSS)" not in page


def test_faults_of_one_name_share_a_row_of_many_names_those_of_one_kind() -> None:
    faults = [fault("loss.0", 1.0, 2.0), fault("loss.1", 5.0, None), fault("kill.0", 3.0, 3.5, "bs")]
    assert fault_rows([*faults, fault("noop.0", None, None)], 9.0) == {
        "loss": [(1.0, 2.0), (5.0, 9.0)],
        "kill bs": [(3.0, 3.5)],
    }
    many = [fault(f"kill.{n}", float(n), n + 0.5, f"ue-{n}") for n in range(MAX_FAULT_ROWS + 1)]
    assert list(fault_rows([*faults, *many], 99.0)) == ["loss", "kill"]


def test_thousands_of_requests_are_drawn_as_pixels(run: MadeRun) -> None:
    history = read_history(run.folder, 3)
    small = latency_over_time(history, [])
    many = replace(history, endings=history.endings[:5] * 4_000)
    drawn = latency_over_time(many, [])
    assert "answered (20,000)" in drawn
    assert "<image" in drawn
    assert len(drawn) < len(small) + 200_000
    assert pss_over_time(history, []).count("<svg") == 1
