"""Forkservers that are older than their agents: real processes, agents without Ray."""

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from launch.agent import Agent
from launch.agent_api import AgentSettings
from launch.errors import LaunchError
from launch.forkserver_start import EarlyForkservers
from launch.guardian import kill_run, run_processes, wait_gone
from tests.integration.test_agent import QUICK, ROOT, TINY, all_roles, spec


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentSettings]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    run_id = f"early-{tmp_path.name}-{os.getpid()}"
    monkeypatch.setenv("M4SC_RUN_ID", run_id)
    yield AgentSettings(run_id, tmp_path / "run", "host", role_modules=dict(TINY), warm_modules=())
    assert kill_run(run_id) == []


def started(early: EarlyForkservers, settings: AgentSettings) -> AgentSettings:
    return replace(settings, early=early.start(settings.forkservers()))


def test_runs_in_turn_have_roles_from_what_was_there_before_their_agents(
    settings: AgentSettings, tmp_path: Path
) -> None:
    early = EarlyForkservers(tmp_path / "logs")
    settings = started(early, settings)
    mothers = set(early.pids)
    assert len(mothers) == 2
    for turn in range(2):
        run_id = f"{settings.run_id}-{turn}"
        of_this_run = replace(settings, run_id=run_id, run_dir=tmp_path / f"run{turn}")
        agent = Agent(of_this_run)
        try:
            ready = agent.launch(all_roles(tmp_path), 20.0)
            servers = {psutil.Process(r.pid).ppid() for r in ready}
            assert {psutil.Process(pid).ppid() for pid in servers} == mothers
            assert set(run_processes(run_id)) == servers | {r.pid for r in ready}  # though not started for it
            report = agent.stop(QUICK)
            assert (report.drained, report.killed) == (True, [])
            assert [role["exit_code"] for role in report.roles] == [0, 0, 0, 0]
            assert run_processes(run_id) == []
            assert (of_this_run.run_dir / "logs" / "ue-1.log").exists()
        finally:
            agent.close()
    assert set(run_processes(settings.run_id)) == mothers
    early.close()
    assert not any(psutil.pid_exists(pid) for pid in mothers)
    assert not list(tmp_path.glob("m4sc-*"))


def test_what_a_run_left_behind_is_ended_by_its_id(settings: AgentSettings, tmp_path: Path) -> None:
    early = EarlyForkservers(tmp_path / "logs")
    settings = replace(started(early, settings), run_id=f"{settings.run_id}-1")
    agent = Agent(settings)
    try:
        agent.launch([spec(tmp_path, "ce"), spec(tmp_path, "ue", 0)], 20.0)
        assert len(run_processes(settings.run_id)) == 4
        assert kill_run(settings.run_id) == []
        assert set(early.pids) <= set(psutil.pids())
    finally:
        agent.close()
        early.close()


def test_one_that_has_ended_is_named_with_its_log(settings: AgentSettings, tmp_path: Path) -> None:
    early = EarlyForkservers(tmp_path / "logs")
    settings = started(early, settings)
    early.close()
    agent = Agent(settings)
    try:
        with pytest.raises(LaunchError, match=r"forkserver warm is not running .*forkserver-warm\.log"):
            agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    finally:
        agent.close()


def test_an_import_that_fails_is_said_to_the_agent_that_comes_later(
    settings: AgentSettings, tmp_path: Path
) -> None:
    settings.role_modules["ue"] = "tests.integration.no_such_module"
    early = EarlyForkservers(tmp_path / "logs")
    agent = Agent(started(early, settings))
    try:
        with pytest.raises(LaunchError, match=r"no_such_module cannot be imported"):
            agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    finally:
        agent.close()
        early.close()


def test_they_end_with_the_thread_that_started_them(settings: AgentSettings, tmp_path: Path) -> None:
    early = EarlyForkservers(tmp_path / "logs")

    def start_and_end() -> None:
        for path in early.start(settings.forkservers()).values():
            with socket.socket(socket.AF_UNIX) as agent:
                agent.connect(path)
                agent.shutdown(socket.SHUT_WR)
                assert agent.recv(1) == b""  # it serves, and has served this one

    starting = threading.Thread(target=start_and_end)
    starting.start()
    starting.join()
    for pid in early.pids:
        assert wait_gone(pid, 5.0)
    early.close()
