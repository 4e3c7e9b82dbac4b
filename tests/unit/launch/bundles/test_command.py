"""`m4sc bundle` as typed: exit codes, one-line errors, JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from launch import cli
from shared.semantic.config import MICRO

M4SC = str(Path(sys.executable).parent / "m4sc")


@dataclass(frozen=True)
class Done:
    """As much of a finished process as is looked at."""

    code: int
    out: str
    err: str


Typed = Callable[..., Done]


@pytest.fixture
def m4sc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`m4sc bundle ...` in a folder of its own, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["m4sc", "bundle", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_create_verify_damage_verify(m4sc: Typed, tmp_path: Path) -> None:
    done = m4sc("create", "--preset", "micro", "--random", "--seed", "7", "--out", "b", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["preset"] == "micro"
    assert told["parameters"]["projector"] == 10 * sum(i * o for i, o in pairwise(MICRO.kan.widths))
    again = m4sc("create", "--preset", "micro", "--random", "--out", "b")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "give --force" in again.err

    done = m4sc("verify", "b", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["fingerprint"] == told["fingerprint"]
    assert told["fingerprint"] in m4sc("verify", "b").out
    weights = tmp_path / "b" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    done = m4sc("verify", "b", "--json")
    assert done.code == 1
    assert "weights.safetensors: sha256 is" in json.loads(done.out)["problem"]


def test_the_shipped_bundle_is_what_its_manifest_says(m4sc: Typed) -> None:
    done = m4sc("verify", "micro", "--quick")
    assert done.code == 0
    assert "not run (--quick)" in done.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("create --out b", "expected --vision and --llm, or --random"),
        ("create --out b --vision x", "expected --vision and --llm, or --random"),
        ("create --out b --random --llm x", "--random: takes neither"),
        ("create --out b --vision x --llm y --tokenizer z", "--tokenizer: only with --random"),
        ("create --out b --random --preset huge", "--preset huge: expected one of micro, paper"),
        ("create --out b --random --tokenizer none", "none: no such file"),
        ("create --out b --vision x --llm y", "--vision x: no such folder, and no hub id"),
        ("verify none", "none: no such folder"),
        ("verify micro --data none", "--data none: no such file or folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    m4sc: Typed, tmp_path: Path, arguments: str, expected: str
) -> None:
    done = m4sc(*arguments.split())
    assert done.code == 2
    assert expected in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "b").exists()


def test_a_signal_leaves_nothing(tmp_path: Path) -> None:
    """At paper scale, so that there is time; it ends long before the first file is whole."""
    making = subprocess.Popen(
        [M4SC, "bundle", "create", "--random", "--out", "b"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert making.stderr is not None
        assert "weights-00001-of-" in making.stderr.readline()
        assert [path.name[:3] for path in tmp_path.iterdir()] == [".b-"]
        making.send_signal(signal.SIGTERM)
        began_s = time.monotonic()
        assert making.wait(30) == 128 + signal.SIGTERM
        assert time.monotonic() - began_s < 15
    finally:
        making.kill()
        making.communicate()
    assert list(tmp_path.iterdir()) == []
