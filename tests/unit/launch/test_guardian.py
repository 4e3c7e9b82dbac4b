"""Who belongs to a run is found and ended; nobody else is."""

import os
import secrets
import subprocess
import sys
import time

import pytest

from launch.guardian import RUN_ID_VARIABLE, children, kill_run, run_processes, start_time, wait_gone


def sleeper(run_id: str, code: str = "import time; time.sleep(60)") -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, RUN_ID_VARIABLE: run_id})


@pytest.fixture
def run_id() -> str:
    return secrets.token_hex(8)


def wait_for(run_id: str, count: int) -> list[int]:
    deadline_s = time.monotonic() + 10.0
    while len(found := run_processes(run_id)) != count:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.01)
    return found


def test_finds_and_kills_only_the_run(run_id: str) -> None:
    mine, other = sleeper(run_id), sleeper(run_id + "0")  # the other's id begins with the same characters
    try:
        assert wait_for(run_id, 1) == [mine.pid]
        assert kill_run(run_id) == []
        assert mine.wait(0.5) == -9
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_finds_orphans_and_forks(run_id: str) -> None:
    fork = "import os, time; os.fork(); os.fork(); time.sleep(60)"
    parent = sleeper(run_id, fork)
    wait_for(run_id, 4)
    parent.kill()
    parent.wait()
    wait_for(run_id, 3)  # orphans, one of them an orphan's child
    assert kill_run(run_id) == []
    assert run_processes(run_id) == []


def test_spares_whom_it_is_told_to(run_id: str) -> None:
    spared, killed = sleeper(run_id), sleeper(run_id)
    try:
        wait_for(run_id, 2)
        assert kill_run(run_id, spare={spared.pid}) == []
        assert killed.wait(0.5) == -9
        assert spared.poll() is None
    finally:
        spared.kill()
        spared.wait()


def test_waits_for_the_end_of_a_stranger(run_id: str) -> None:
    process = sleeper(run_id)
    assert process.pid in children()
    assert start_time(process.pid) is not None
    assert not wait_gone(process.pid, 0.0)
    process.kill()
    assert wait_gone(process.pid, 5.0)
    process.wait()
    assert wait_gone(process.pid, 0.0)
    assert start_time(process.pid) is None
