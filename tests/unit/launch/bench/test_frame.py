"""Lines, their targets, their timing, and what becomes of them as JSON and beside an earlier run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launch.bench.line import Line, Spread, Target
from launch.bench.order import Order
from launch.bench.plot import draw
from launch.bench.report import as_document, change, read_old, write_document
from launch.bench.suite import BENCHES, chosen, run_all
from launch.bench.testbed import Runs
from launch.bench.timing import cost_line, interleaved, rate_line
from launch.bench.view import number, table_of
from launch.errors import LaunchError
from shared.config import RunConfig


def test_works_take_turns_and_each_has_the_seconds_of_a_call() -> None:
    now_s = 0.0
    order: list[str] = []

    def work(name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            nonlocal now_s
            now_s += seconds
            order.append(name)

        return call

    seconds = interleaved({"a": work("a", 1.0), "b": work("b", 0.25)}, 2, lambda: now_s, least_s=1.0)
    assert seconds == {"a": [1.0, 1.0], "b": [0.25, 0.25]}
    assert order == ["a"] * 2 + ["b"] * 2 + (["a"] + ["b"] * 4) * 2  # to warm up, then in turn


def test_a_ratio_above_one_is_better_whatever_is_measured() -> None:
    fast = rate_line("a", "", "tokens/s", 10, [1.0, 2.0, 5.0], "slow", [2.0, 6.0, 10.0])
    assert fast.value == Spread(3.5, 5.0, 7.5)
    assert fast.ratio == Spread(2.0, 2.0, 2.5)  # of repeats made together, not of the medians
    small = cost_line("a", "", "MB", [10.0, 20.0], "large", [40.0], paired=False)
    assert small.ratio is not None
    assert small.ratio.median == pytest.approx(40 / 15)


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("ratio", 2.0, "at least"), True),
        (Target("ratio", 2.1, "at least"), False),
        (Target("value", 5.0, "at most"), True),
        (Target("value", 4.9, "at most"), False),
        (None, None),
    ],
)
def test_a_target_is_met_by_the_median(target: Target | None, met: bool | None) -> None:
    assert cost_line("a", "", "s", [4.0, 5.0, 9.0], "slow", [8.0, 10.0, 19.0], target).met is met


def test_a_target_for_a_ratio_that_was_not_measured_is_missed() -> None:
    assert Line("a", "", "s", Spread.of([1.0]), target=Target("ratio", 1.0, "at least")).met is False


def test_an_earlier_file_is_compared_by_ratios_and_without_them_by_values(tmp_path: Path) -> None:
    old = [
        cost_line("both", "", "s", [2.0], "r", [4.0]),
        cost_line("cost", "", "s", [2.0]),
        rate_line("rate", "", "tokens/s", 10, [5.0]),
    ]
    write_document(as_document(old, 0, 1), tmp_path / "old.json")
    read = read_old(tmp_path / "old.json")
    new = [
        cost_line("both", "", "s", [4.0], "r", [16.0]),  # the machine was busy, for both
        cost_line("cost", "", "s", [1.0]),
        rate_line("rate", "", "tokens/s", 10, [1.0]),
        cost_line("fresh", "", "s", [1.0]),
    ]
    assert [change(line, read.get(line.name)) for line in new] == [2.0, 2.0, 5.0, None]


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "m4sc bench", "lines": [{"name": "a", "value": "x"}]}'])
def test_other_files_are_not_compared_with(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(LaunchError, match=r"--compare .*old.json: expected a file that"):
        read_old(path)


def test_a_document_says_on_what_it_was_measured(tmp_path: Path) -> None:
    line = cost_line("a", "what", "s", [1.0, 3.0], "ref", [2.0, 6.0], Target("ratio", 3.0, "at least"))
    write_document(as_document([line], 7, 2), tmp_path / "new.json")
    document = json.loads((tmp_path / "new.json").read_text())
    assert (document["seed"], document["rounds"]) == (7, 2)
    assert {"cpu", "cores", "torch_threads", "load_1_min"} <= document["machine"].keys()
    (read,) = document["lines"]
    assert (read["value"], read["reference_value"], read["ratio"]) == (2.0, 4.0, 2.0)
    assert (read["target"], read["met"]) == ("≥ 3x", False)


def test_lines_can_be_seen(tmp_path: Path) -> None:
    lines = [
        cost_line("comparator.4", "four", "s", [1.0], "pairs", [2.0]),
        cost_line("comparator.8", "eight", "s", [2.0], "pairs", [8.0], Target("ratio", 2.0, "at least")),
        cost_line("alone", "no reference", "MB", [3.0]),
    ]
    assert table_of(lines).row_count == 3
    draw(lines, tmp_path / "all.png")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(LaunchError, match="none of these lines has a reference"):
        draw(lines[2:], tmp_path / "none.png")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.01234, "0.0123"), (3.0, "3"), (123.4, "123"), (9876.0, "9,876")]
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_benches_are_chosen_by_name() -> None:
    assert chosen([]) == list(BENCHES)
    assert chosen(["wire", "decode", "wire"]) == ["decode", "wire"]
    with pytest.raises(LaunchError, match="did you mean decode"):
        chosen(["decod"])


def test_a_bench_that_cannot_be_run_costs_no_other_its_lines(tmp_path: Path) -> None:
    def broken(config: RunConfig, folder: Path) -> dict[str, Any]:
        raise LaunchError("not ready within 60 s: bs")

    said: list[str] = []
    lines, failed = run_all(["overhead", "wire"], Order(Runs(tmp_path, broken), rounds=1, say=said.append))
    assert failed == ["overhead"]
    assert {line.name for line in lines} == {"wire.frame", "wire.public", "wire.answer"}
    assert "overhead: not measured: not ready within 60 s: bs" in said
