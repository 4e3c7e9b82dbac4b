"""A run finds what is wrong with a door, and says so: negative controls, with coverage as the guide."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import catalogue
from tests.fuzz.run import INPUT_TIMEOUT_S, fuzz

pytest.importorskip("atheris", reason="needs the extra 'fuzz'")


@pytest.mark.parametrize("kind", ["crash", "hang", "memory"])
def test_a_planted_fault_is_found(tmp_path: Path, kind: str) -> None:
    report = fuzz(catalogue.load(f"tests.fuzz.planted.{kind}"), 30, tmp_path, seed=1)
    assert {name: len(paths) for name, paths in report.findings.items() if paths} == {kind: 1}
    assert report.findings[kind][0].read_bytes()[:2] == b"no"
    assert not report.clean
    assert report.executions > 0
    assert kind != "hang" or report.seconds < INPUT_TIMEOUT_S + 10


def test_a_run_that_cannot_begin_is_not_clean(tmp_path: Path) -> None:
    nowhere = catalogue.Target("tests.fuzz.planted.nowhere", print, (b"",), ())
    report = fuzz(nowhere, 5, tmp_path, seed=1)
    assert not report.clean
    assert "exit code" in report.problem


def test_the_command_reports_a_sound_door(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "2", "--out", str(tmp_path), "index_map"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("index_map ")
    assert int(done.stdout.split()[3]) > 100  # inputs
    assert int(done.stdout.split()[5]) > 50  # edges


@pytest.mark.parametrize("words", [["gremlins"], ["--seconds", "0"], ["--seconds", "long"]])
def test_bad_input_of_the_command(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "tests.fuzz", *words], capture_output=True, check=False)
    assert done.returncode == 2
