"""The agent without Ray: real processes, real control links, roles that do nothing but obey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from zmq.utils import z85

from launch.agent import Agent
from launch.agent_api import AgentSettings, StopBudget
from launch.errors import LaunchError
from launch.guardian import kill_run, run_processes, wait_gone
from shared.config import RunConfig
from shared.spec import RoleSpec
from shared.wire.messages import Ask

ROOT = Path(__file__).resolve().parents[2]
TINY = dict.fromkeys(("bs", "ce", "ue"), "tests.integration.tiny_role")
QUICK = StopBudget(drain_s=2.0, quiesce_s=1.0, counters_s=1.0, exit_s=2.0)


@pytest.fixture
def make_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Agent]]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run_id = f"test-{tmp_path.name}-{os.getpid()}"
    monkeypatch.setenv("M4SC_RUN_ID", run_id)
    made: list[Agent] = []

    def make(curve_users: int = 0) -> Agent:
        settings = AgentSettings(
            run_id, tmp_path, "host", role_modules=TINY, warm_modules=(), curve_users=curve_users
        )
        made.append(Agent(settings))
        return made[-1]

    yield make
    for agent in made:
        agent.close()
    assert kill_run(run_id) == []


def spec(tmp_path: Path, role: str, user: int = -1, name: str = "tiny") -> RoleSpec:
    return RoleSpec("run", role, user, 0, RunConfig(name=name), tmp_path, "", "", "host")


def all_roles(tmp_path: Path, name: str = "tiny") -> list[RoleSpec]:
    others = [spec(tmp_path, "ue", user, name) for user in range(2)]
    return [spec(tmp_path, "ce", name=name), spec(tmp_path, "bs", name=name), *others]


def test_roles_start_obey_and_stop_in_order(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    ready = agent.launch(all_roles(tmp_path), 20.0)
    assert {r.role for r in ready} == {"ce", "bs", "ue"}
    assert len({r.pid for r in ready}) == 4
    agent.begin()
    events = []
    while not any(e.what == "workload_done" for e in events):
        events += agent.events(5.0)
    assert [e.values["attempted"] for e in events if e.what == "workload_done"] == [3]
    report = agent.stop(QUICK)
    assert (report.drained, report.counters_equal, report.late, report.killed) == (True, True, {}, [])
    assert [role["exit_code"] for role in report.roles] == [0, 0, 0, 0]
    assert {role["pid"] for role in report.roles} == {r.pid for r in ready}
    assert run_processes(os.environ["M4SC_RUN_ID"]) == []


def test_a_question_gets_its_answer(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    agent.launch([spec(tmp_path, "bs")], 20.0)
    answer = agent.ask(Ask(ask_id="a1", user=1, task="vqa", text="why?", payload=b"png"), 5.0)
    assert (answer.ask_id, answer.text) == ("a1", "you asked: why?")


def test_a_question_outlives_the_base_station_that_had_it(
    make_agent: Callable[[], Agent], tmp_path: Path
) -> None:
    agent = make_agent()
    (first,) = agent.launch([spec(tmp_path, "bs", name="bs=deaf")], 20.0)
    question = Ask(ask_id="a1", user=1, task="vqa", text="why?", payload=b"png")
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(agent.ask, question, 20.0)
        os.kill(first.pid, signal.SIGKILL)
        while not any(e.what == "crashed" for e in agent.events(5.0)):
            pass
        while_it_is_away = pool.submit(agent.ask, replace(question, ask_id="a2"), 20.0)
        agent.restart("bs", 10.0)
        assert asked.result(20.0).text == "you asked: why?"
        assert while_it_is_away.result(20.0).ask_id == "a2"


def test_the_missing_role_is_named(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    with pytest.raises(LaunchError, match=r"not ready within 3 s: ue-1 \(logs: "):
        agent.launch(all_roles(tmp_path, "ue-1=mute"), 3.0)


def test_a_crash_at_the_start_is_reported_with_its_last_output(
    make_agent: Callable[[], Agent], tmp_path: Path
) -> None:
    agent = make_agent()
    with pytest.raises(
        LaunchError, match=r"ue-0 ended \(killed by signal 11\): the last words \(log: .*ue-0.log"
    ):
        agent.launch(all_roles(tmp_path, "ue-0=crash"), 20.0)


def test_what_a_role_refuses_is_one_line(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    with pytest.raises(LaunchError, match=r"^bs: weights do not fit: test$"):
        agent.launch(all_roles(tmp_path, "bs=refuse"), 20.0)


def test_a_killed_role_is_reported_and_comes_back_as_the_next_incarnation(
    make_agent: Callable[[], Agent], tmp_path: Path
) -> None:
    agent = make_agent()
    first = {r.user: r for r in agent.launch(all_roles(tmp_path), 20.0) if r.role == "ue"}
    os.kill(first[1].pid, signal.SIGKILL)
    crashed = []
    while not crashed:
        crashed = [e for e in agent.events(5.0) if e.what == "crashed"]
    assert (crashed[0].user, crashed[0].values["exit_code"]) == (1, -9)
    assert crashed[0].values["last_output"]
    again = agent.restart("ue-1", 10.0)
    assert (again.incarnation, again.user) == (1, 1)
    assert again.pid != first[1].pid
    assert agent.stop(QUICK).killed == []


def test_under_curve_roles_start_restart_and_stop_and_no_secret_is_left_anywhere(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    agent = make_agent(curve_users=2)
    agent.launch(all_roles(tmp_path), 20.0)
    assert agent.restart("ue-1", 10.0).incarnation == 1
    assert agent.ask(Ask(ask_id="a1", user=1, task="vqa", text="why?", payload=b"png"), 5.0).ask_id == "a1"
    book = agent._core._keys
    assert book is not None
    pids = run_processes(os.environ["M4SC_RUN_ID"])
    assert len(pids) >= 6  # two forkservers, four roles
    seen = [
        Path(f"/proc/{pid}/{name}").read_bytes() for pid in pids for name in ("cmdline", "environ", "comm")
    ]
    report = agent.stop(QUICK)
    assert (report.drained, report.counters_equal, report.killed) == (True, True, [])
    seen += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"ue-1 starts" in data for data in seen)
    for pair in (book.role("ue-1").own, book.role("ce").own, book.agent().own):
        for secret in (pair.secret, pair.secret.hex().encode(), z85.encode(pair.secret), pair.tag):
            assert not any(secret in data for data in seen)


def test_a_living_role_can_be_restarted(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    (first,) = agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    again = agent.restart("ue-0", 10.0)
    assert (again.incarnation, again.pid != first.pid) == (1, True)
    assert wait_gone(first.pid, 0.0)
    assert not [e for e in agent.events(0.0) if e.what == "crashed"]


def test_what_does_not_stop_is_killed_and_named(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    agent.launch(all_roles(tmp_path, "bs=stubborn"), 20.0)
    report = agent.stop(StopBudget(drain_s=0.3, quiesce_s=0.3, counters_s=0.3, exit_s=0.5))
    assert report.killed == ["bs"]
    assert not report.drained
    assert report.late["drain"] == report.late["stop"] == ["bs"]
    assert {r["role"]: r["exit_code"] for r in report.roles if r["role"] != "ue"} == {"ce": 0, "bs": -9}


def test_counters_that_differ_are_waited_for_but_not_for_ever(
    make_agent: Callable[[], Agent], tmp_path: Path
) -> None:
    agent = make_agent()
    agent.launch(all_roles(tmp_path, "bs=uneven"), 20.0)
    began_s = time.monotonic()
    report = agent.stop(QUICK)
    assert not report.counters_equal
    assert time.monotonic() - began_s >= 1.0
    assert report.killed == []


def test_an_import_that_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    modules = {**TINY, "ue": "tests.integration.no_such_module"}
    agent = Agent(AgentSettings(f"t{os.getpid()}x", tmp_path, "host", role_modules=modules, warm_modules=()))
    try:
        with pytest.raises(LaunchError, match=r"no_such_module cannot be imported"):
            agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    finally:
        agent.close()


def test_the_emulator_is_forked_without_torch(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    agent.launch([spec(tmp_path, "ce")], 20.0)
    assert "torch False" in (tmp_path / "logs" / "ce.log").read_text()


def test_roles_die_with_the_agent_and_the_agent_with_its_owner(tmp_path: Path) -> None:
    """Owner -> agent -> forkserver -> role: after SIGKILL of the owner all are gone within two seconds."""
    run_id = f"owner-{os.getpid()}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "M4SC_RUN_ID": run_id}
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    code = (
        "import sys, time; from pathlib import Path\n"
        "from launch.agent import Agent; from launch.agent_api import AgentSettings\n"
        "from tests.integration.test_agent import TINY, all_roles\n"
        f"tmp = Path({str(tmp_path)!r})\n"
        f"agent = Agent(AgentSettings({run_id!r}, tmp, 'host', {owner.pid}, TINY, ()))\n"
        "agent.launch(all_roles(tmp), 20.0); print('up', flush=True); time.sleep(60)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    try:
        assert host.stdout is not None
        assert host.stdout.readline() == b"up\n"
        assert len(run_processes(run_id)) == 7  # the agent, two forkservers, four roles
        owner.kill()
        owner.wait()
        deadline_s = time.monotonic() + 2.0
        while run_processes(run_id) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert run_processes(run_id) == []
    finally:
        owner.kill()
        assert kill_run(run_id) == []
        host.wait()
        host.stdout.close()  # type: ignore[union-attr]
