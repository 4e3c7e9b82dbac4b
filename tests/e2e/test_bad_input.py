"""What a person gets wrong: one line that says what and where, exit code 2, nothing left."""

from pathlib import Path

import pytest

from tests.e2e.helpers import ROOT, Workplace

pytestmark = pytest.mark.timeout(180)

BASE = """
name: bad
users: 1
workload: {source: requests_file, root: requests.jsonl, requests: 1, tasks: [text_classification]}
"""


def lines_of(place: Workplace, *arguments: str) -> str:
    done = place.run(*arguments)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert not done.stdout
    assert lines[-1].startswith("m4sc: ")
    assert not [line for line in lines if "Traceback" in line]
    assert all(line.startswith("…") for line in lines[:-1])  # progress, where there was some
    assert place.processes() == []
    return lines[-1]


def test_before_anything_starts(real: Workplace) -> None:
    real.write("requests.jsonl", '{"task": "text_classification", "text": "good"}\n')
    real.write("base.yaml", BASE)
    real.write("typo.yaml", BASE + "chanel: {snr_db: 3}\n")
    (real.folder / "full").mkdir()
    (real.folder / "full" / "file").touch()
    for arguments, said in (
        (("run", "nowhere"), "nowhere: no such configuration (shipped: "),
        (("run", "typo.yaml"), "unknown key chanel (nearest known: channel)"),
        (("run", "base.yaml", "--set", "users"), "--set users: expected a.b=value"),
        (("run", "base.yaml", "--out", "full"), "expected a new or empty folder"),
        (
            ("run", "base.yaml", "--set", "bundle=none-such"),
            "none-such: no such folder (shipped: deepsc, micro",
        ),
        (("run", "base.yaml", "--set", "cluster.address=ray://host:1"), "cluster.address ray://host:1"),
        (("run", "base.yaml", "--set", "cluster.address=127.0.0.1:9"), "127.0.0.1:9: no Ray there"),
        (("ask", "why?"), "no testbed is up"),
        (("status",), "no testbed is up"),
        (("down",), "no testbed is up"),
        (("report", "."), "config.yaml: no such configuration file"),
    ):
        assert said in lines_of(real, *arguments)
    assert not (real.folder / "runs").exists()


def test_a_workload_that_cannot_be_built_leaves_no_folder(real: Workplace) -> None:
    real.write("requests.jsonl", '{"text": "what is it?", "image": "missing.png"}\n')
    real.write("base.yaml", BASE.replace("text_classification", "vqa"))
    assert "missing.png" in lines_of(real, "run", "base.yaml", "--out", "out")
    assert not (real.folder / "out").exists()


def test_weights_that_do_not_fit(real: Workplace) -> None:
    """The base station looks into the files; what it says is the command's one line."""
    shipped = ROOT / "shared" / "bundles" / "micro"
    bundle = real.folder / "bundle"
    bundle.mkdir()
    for file in shipped.iterdir():
        (bundle / file.name).write_bytes(file.read_bytes())
    _halve(bundle / "weights.safetensors")
    real.write("requests.jsonl", '{"task": "text_classification", "text": "good"}\n')
    real.write("base.yaml", BASE)
    line = lines_of(real, "run", "base.yaml", "--set", "bundle=bundle")
    assert "weights.safetensors" in line
    assert not list((real.folder / "runs").iterdir())


def _halve(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
