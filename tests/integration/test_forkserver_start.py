"""Forkservers that are older than their agent: real processes, the agent without Ray."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from launch.agent import Agent
from launch.agent_api import AgentSettings
from launch.errors import LaunchError
from launch.forkserver_start import EarlyForkservers
from launch.guardian import kill_run, run_processes
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


def test_roles_are_forked_from_what_was_there_before_the_agent(
    settings: AgentSettings, tmp_path: Path
) -> None:
    early = EarlyForkservers(settings.run_dir)
    settings = started(early, settings)
    forkservers = {waiting.pid for waiting in settings.early.values()}
    assert len(forkservers) == 2
    agent = Agent(settings)
    try:
        ready = agent.launch(all_roles(tmp_path), 20.0)
        assert {psutil.Process(r.pid).ppid() for r in ready} == forkservers
        report = agent.stop(QUICK)
        assert (report.drained, report.killed) == (True, [])
        assert [role["exit_code"] for role in report.roles] == [0, 0, 0, 0]
        assert run_processes(settings.run_id) == []  # they have ended with the agent's stop, not by `close`
    finally:
        agent.close()
        early.close()
    assert not any(psutil.pid_exists(pid) for pid in forkservers)  # nor is anything left to reap
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_one_that_has_ended_is_named_with_its_log(settings: AgentSettings, tmp_path: Path) -> None:
    early = EarlyForkservers(settings.run_dir)
    settings = started(early, settings)
    for waiting in settings.early.values():
        os.kill(waiting.pid, signal.SIGKILL)
    ended = [psutil.Process(waiting.pid) for waiting in settings.early.values()]
    deadline_s = time.monotonic() + 5.0
    while any(process.status() != psutil.STATUS_ZOMBIE for process in ended):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    agent = Agent(settings)
    try:
        with pytest.raises(LaunchError, match=r"forkserver warm is not running .*forkserver-warm\.log"):
            agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    finally:
        agent.close()
        early.close()


def test_an_import_that_fails_is_said_to_the_agent_that_comes_later(
    settings: AgentSettings, tmp_path: Path
) -> None:
    settings.role_modules["ue"] = "tests.integration.no_such_module"
    early = EarlyForkservers(settings.run_dir)
    agent = Agent(started(early, settings))
    try:
        with pytest.raises(LaunchError, match=r"no_such_module cannot be imported"):
            agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    finally:
        agent.close()
        early.close()


def test_without_an_agent_they_are_ended_and_reaped(settings: AgentSettings, tmp_path: Path) -> None:
    early = EarlyForkservers(settings.run_dir)
    pids = [waiting.pid for waiting in early.start(settings.forkservers()).values()]
    assert sorted(run_processes(settings.run_id)) == sorted(pids)
    early.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
