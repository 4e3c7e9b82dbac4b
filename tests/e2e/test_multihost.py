"""A run over four hosts, in namespaces of this machine: the short form of `make multihost`."""

import subprocess
import sys
from pathlib import Path

import pytest

from launch.guardian import wait_gone
from tests.e2e.helpers import ROOT
from tests.multihost.lab import DATA, Lab, why_not
from tests.multihost.rehearsal import rehearse

needs_root = pytest.mark.skipif(why_not() != "", reason=why_not())


@needs_root
@pytest.mark.timeout(600)
def test_a_run_over_four_hosts_outlives_a_cut_and_says_that_a_host_was_lost(tmp_path: Path) -> None:
    measured = rehearse(tmp_path, users=2, requests=10, whole=False, say=print)
    assert measured["cut"]["verdict"] == "valid"
    assert measured["cut"]["hosts"] == [f"{DATA}.{number}" for number in (1, 2, 3, 4)]
    assert measured["kill"]["verdict"] == "unknown"


@needs_root
def test_nothing_is_left_of_hosts() -> None:
    lab = Lab(("one", "two"))
    try:
        two = lab.hosts["two"]
        line = two.command(["sh", "-c", "echo up; exec sleep 60"])
        with subprocess.Popen(line, stdout=subprocess.PIPE) as sleeper:
            assert sleeper.stdout is not None
            assert sleeper.stdout.readline() == b"up\n"
            lab.kill("two")
            assert sleeper.wait(5.0) != 0
    finally:
        lab.close()
    assert not lab.folder.exists()
    assert all(wait_gone(host.init_pid, 0.0) for host in lab.hosts.values())


def test_what_it_cannot_do_is_said(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.multihost", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert done.returncode == 2
    assert "multihost: " + (why_not() or f"--out {tmp_path}: there are runs") in done.stderr
