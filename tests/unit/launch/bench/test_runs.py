"""What benches read from a run, and from which runs they read."""

from pathlib import Path
from typing import Any

import pytest

from launch.bench import launching, memory, overhead, page
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.request import Times, undisturbed
from launch.bench.single import Single
from launch.bench.testbed import Runs
from launch.errors import LaunchError
from launch.resources.sampler import COLUMNS, RESOURCES_FILE
from shared.config import RunConfig
from tests.unit.launch.made_run import MadeRun

SUMMARY: dict[str, Any] = {
    "verdict": "valid",
    "requests": {"attempted": 6},
    "launch": {"times_s": {"ready": 6.0}},
    "launch_to_first_answer_s": 8.0,
}


def order(base: Path, summary: dict[str, Any] = SUMMARY) -> Order:
    """With a crowd's run that was made by hand, and a single process that was not started."""

    def run(config: RunConfig, folder: Path) -> dict[str, Any]:
        made = MadeRun(folder, config.users).run()
        made.write_journal()
        rows = [
            f"{t_s},{role},{user},0,{pid},{pss},10,3,1.5"
            for t_s in (1.0, 2.0)
            for role, user, pid, pss in (
                ("ce", -1, 2, 20_000_000),
                ("ue", 0, 3, 40_000_000),
                ("ue", 1, 4, 60_000_000),
            )
        ]
        (folder / RESOURCES_FILE).write_text("\n".join([",".join(COLUMNS), *rows, ""]))
        return summary

    return Order(Runs(base, run, _single=Single(4.0, 4.5, 200_000_000)))


def by_name(lines: list[Line]) -> dict[str, Line]:
    return {line.name: line for line in lines}


def test_the_throughput_counts_from_the_first_request_to_the_last_answer(tmp_path: Path) -> None:
    events = MadeRun(tmp_path).run().events
    begun = next(e["t"] for e in events if e["event"] == "invoke")
    ended = [e["t"] for e in events if e["event"] == "ok"][-1]
    assert page.took_s(events) == pytest.approx(ended - begun)
    with pytest.raises(LaunchError, match="nobody was answered"):
        page.took_s([e for e in events if e["event"] != "ok"])


def test_a_page_that_nobody_saw_is_no_measurement() -> None:
    with pytest.raises(LaunchError, match="the page was not there"):
        page.Looking().check()


def test_launch_is_held_against_the_target_of_four_ues(tmp_path: Path) -> None:
    lines = by_name(launching.bench(order(tmp_path)))
    assert lines["launching.ready"].value.median == 6.0
    answer = lines["launching.answer"]
    assert (answer.value.median, answer.met) == (8.0, True)
    assert answer.ratio is not None
    assert answer.ratio.median == 4.5 / 8.0


def test_memory_is_that_of_each_role(tmp_path: Path) -> None:
    lines = by_name(memory.bench(order(tmp_path)))
    assert lines["memory.ce"].value.median == 20.0
    assert lines["memory.ue"].value.median == 50.0
    assert lines["memory.ue"].ratio is not None
    assert lines["memory.ue"].ratio.median == 4.0


def test_overhead_and_payload_are_all_bytes_of_the_ledger(tmp_path: Path) -> None:
    made = MadeRun(tmp_path / "made", 4).run()
    wanted = order(tmp_path / "runs")
    lines = by_name(overhead.bench(wanted))
    offered = [
        values
        for key, values in made.rows()
        if key.outcome == "offered" and (key.end != "ce" or key.klass == "session")
    ]
    payload = lines["overhead.all"].reference_value
    assert payload is not None
    total = 6 * (lines["overhead.all"].value.median + payload.median)
    assert total == pytest.approx(sum(values.wire_bytes for values in offered))
    parts = lines["overhead.headers"].value.median + lines["overhead.said"].value.median
    assert parts == pytest.approx(lines["overhead.all"].value.median)


def test_a_run_is_made_once_and_must_be_valid(tmp_path: Path) -> None:
    wanted = order(tmp_path)
    assert wanted.runs.get("crowd") is wanted.runs.get("crowd")
    assert wanted.runs.get("crowd").config.resources.every_s == 0.5
    assert (wanted.runs.get("alone").config.users, wanted.runs.get("alone").config.window_ms) == (1, 0)
    broken = order(tmp_path / "broken", SUMMARY | {"verdict": "invalid", "findings": ["lost 1"]})
    with pytest.raises(LaunchError, match=r"run crowd is invalid, not valid \(lost 1\)"):
        broken.runs.get("crowd")


def test_a_request_counts_where_no_other_was_open() -> None:
    stages = {"queue": 3.0, "encode": 40.0, "air": 2.0, "decode": 50.0}
    events = [
        {"event": "ok", "t": 1.0, "latency_ms": 95.0, "stage_ms": stages},
        {"event": "fault", "t": 1.01},
        {"event": "degraded", "t": 1.05, "latency_ms": 100.0, "stage_ms": stages},  # the first was open
        {"event": "ok", "t": 2.0, "latency_ms": 100.0, "stage_ms": stages},
    ]
    assert undisturbed(events) == [Times(95.0, 5.0), Times(100.0, 10.0)]
