"""Samples of real processes: what they hold is seen, what has ended leaves no row."""

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from launch.resources.sampler import (
    COLUMNS,
    MOST_OF_THE_TIME,
    RESOURCES_FILE,
    ROWS_AT_FULL_RATE,
    ResourceLog,
    Watched,
    keep_sampling,
    pause_s,
)
from launch.resources.use import read_resources

HELD_BYTES = 64 * 2**20


GROWS = textwrap.dedent(f"""
    import os, time
    print("began", flush=True)
    input()
    held = b"x" * {HELD_BYTES}
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    print("grown", flush=True)
    input()
""")


def test_memory_descriptors_and_time_of_a_process_are_seen(tmp_path: Path) -> None:
    """Of a process without a past: one that ran other tests has freed memory that it would take from."""
    with subprocess.Popen(
        [sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        watched = Watched("bs", -1, 2, child.pid)
        log = ResourceLog(tmp_path / RESOURCES_FILE)
        assert child.stdout.readline() == "began\n"
        log.sample(10.0, [watched])
        print(file=child.stdin, flush=True)
        assert child.stdout.readline() == "grown\n"
        log.sample(11.5, [watched])
        log.close()
        print(file=child.stdin, flush=True)
    before, after = read_resources(tmp_path)
    assert (before.t_s, before.role, before.user, before.incarnation, before.pid) == (10.0, *watched)
    assert after.pss_bytes - before.pss_bytes == pytest.approx(HELD_BYTES, rel=0.1)
    assert after.fds - before.fds == 5
    assert after.cpu_s - before.cpu_s >= 0.09
    assert (before.threads, after.threads) == (1, 1)


def test_a_process_that_has_ended_leaves_no_row(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watched = [Watched("ue", 0, 0, child.pid), Watched("agent", -1, 0, os.getpid())]
    log = ResourceLog(tmp_path / RESOURCES_FILE)
    log.sample(1.0, watched)
    child.communicate(b"\n")
    log.sample(2.0, watched)
    log.close()
    assert [(s.name, s.t_s) for s in read_resources(tmp_path)] == [
        ("ue-0", 1.0),
        ("agent", 1.0),
        ("agent", 2.0),
    ]
    assert log.rows == 3


def test_a_process_that_has_given_its_memory_back_leaves_no_row(tmp_path: Path) -> None:
    """Ended and not yet waited for: a row of 0 bytes would be the end of every slope."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    log = ResourceLog(tmp_path / RESOURCES_FILE)
    log.sample(1.0, [Watched("ue", 0, 0, child.pid)])
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    log.sample(2.0, [Watched("ue", 0, 0, child.pid)])
    log.close()
    child.wait()
    assert [sample.t_s for sample in read_resources(tmp_path)] == [1.0]


def test_a_row_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    rows = [",".join(COLUMNS), "1.0,ue,0,0,7,1000,3,2,0.5", "2.0,ue,0,0,7,10"]
    (tmp_path / RESOURCES_FILE).write_text("\n".join(rows))
    (sample,) = read_resources(tmp_path)
    assert sample == (1.0, "ue", 0, 0, 7, 1000, 3, 2, 0.5)


def test_samples_are_rare_where_they_cost_much_or_are_many() -> None:
    assert pause_s(1.0, 0, 0.01) == pytest.approx(0.99)
    assert pause_s(1.0, 0, 0.2) == pytest.approx(0.2 / MOST_OF_THE_TIME - 0.2)
    assert pause_s(1.0, ROWS_AT_FULL_RATE, 0.0) == 2.0
    assert pause_s(1.0, 3 * ROWS_AT_FULL_RATE + 1, 0.0) == 8.0


async def test_sampling_goes_on_until_it_is_cancelled(tmp_path: Path) -> None:
    log = ResourceLog(tmp_path / RESOURCES_FILE)
    watched = [Watched("agent", -1, 0, os.getpid())]
    sampling = asyncio.create_task(keep_sampling(log, 0.01, lambda: watched, asyncio.Queue()))
    while log.rows < 3:
        await asyncio.sleep(0.01)
    sampling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sampling
    times_s = [sample.t_s for sample in read_resources(tmp_path)]
    assert len(times_s) >= 3
    assert times_s == sorted(times_s)


async def test_a_nudge_is_a_sample_at_once_and_may_be_the_last(tmp_path: Path) -> None:
    log, nudges = ResourceLog(tmp_path / RESOURCES_FILE), asyncio.Queue[bool]()
    watched = [Watched("agent", -1, 0, os.getpid())]
    for last in (False, True):
        nudges.put_nowait(last)
    await asyncio.wait_for(keep_sampling(log, 3_600.0, lambda: watched, nudges), 30.0)
    assert len(read_resources(tmp_path)) == 3
