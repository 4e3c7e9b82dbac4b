"""The agent without Ray: real processes, real control links, roles that do nothing but obey."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from zmq.utils import z85

from launch.agent import Agent
from launch.agent_api import AgentSettings, StopBudget
from launch.chaos.throttle import cpu_time_s
from launch.errors import LaunchError
from launch.event_box import AgentEvent
from launch.guardian import kill_run, run_processes, wait_gone
from launch.resources.sampler import RESOURCES_FILE
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

    def make(**more: Any) -> Agent:
        settings = AgentSettings(run_id, tmp_path, "host", role_modules=TINY, warm_modules=(), **more)
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
        agent.start_next("bs")
        assert asked.result(20.0).text == "you asked: why?"
        assert while_it_is_away.result(20.0).ask_id == "a2"


def test_where_resources_cannot_be_written_it_is_said_and_roles_run(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    (tmp_path / RESOURCES_FILE).symlink_to("/dev/full")
    agent = make_agent(sample_every_s=0.1)
    (event,) = agent.events(10.0)
    assert event.what == "not_sampled"
    assert "No space left on device" in event.values["line"]
    assert len(agent.launch(all_roles(tmp_path), 20.0)) == 4
    assert not agent.stop(QUICK).killed


def test_the_missing_role_is_named(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    with pytest.raises(LaunchError, match=r"not ready within 6 s: ue-1 \(logs: "):
        agent.launch(all_roles(tmp_path, "ue-1=mute"), 6.0)


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
    agent.start_next("ue-1")
    again = heard(agent, "ready", incarnation=1)
    assert (again.user, again.values["pid"] != first[1].pid) == (1, True)
    assert agent.stop(QUICK).killed == []


def heard(agent: Agent, what: str, **values: object) -> AgentEvent:
    """The first event of this kind and with these values about a UE; others are passed over."""
    deadline_s = time.monotonic() + 10.0
    while time.monotonic() < deadline_s:
        for event in agent.events(0.1):
            if (event.what, event.role) == (what, "ue") and values.items() <= event.values.items():
                return event
    raise AssertionError(f"nothing heard of {what} {values}")


def test_under_curve_roles_start_restart_and_stop_and_no_secret_is_left_anywhere(
    make_agent: Callable[..., Agent], tmp_path: Path
) -> None:
    agent = make_agent(curve_users=2)
    agent.launch(all_roles(tmp_path), 20.0)
    agent.end("ue-1")
    heard(agent, "ended", exit_code=0)
    agent.start_next("ue-1")
    heard(agent, "ready", incarnation=1)
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


def test_a_role_leaves_in_good_order_and_comes_back(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    (first,) = agent.launch([spec(tmp_path, "ue", 0)], 20.0)
    with pytest.raises(LaunchError, match=r"ue-0 runs already"):
        agent.start_next("ue-0")
    agent.end("ue-0")
    assert heard(agent, "ended", exit_code=0).values["incarnation"] == 0
    assert wait_gone(first.pid, 0.0)
    with pytest.raises(LaunchError, match=r"ue-0 is not running"):
        agent.signal("ue-0", signal.SIGSTOP)
    agent.start_next("ue-0")
    heard(agent, "ready", incarnation=1)
    assert agent.stop(QUICK).crashes == []


def test_a_role_may_be_started_late(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    agent.launch([spec(tmp_path, "bs")], 20.0)
    with pytest.raises(LaunchError, match=r"ue-0: no such role here \(there are bs\)"):
        agent.end("ue-0")
    agent.start(spec(tmp_path, "ue", 0))
    with pytest.raises(LaunchError, match=r"ue-0 is not running"):
        agent.signal("ue-0", signal.SIGKILL)
    heard(agent, "ready", incarnation=0)
    assert [r["exit_code"] for r in agent.stop(QUICK).roles] == [0, 0]


@pytest.mark.parametrize("continued", [True, False])
def test_two_processes_of_one_role(make_agent: Callable[[], Agent], tmp_path: Path, continued: bool) -> None:
    """The old one stands still while the new one works; at the latest the stop continues it."""
    agent = make_agent()
    (old,) = agent.launch([spec(tmp_path, "ue", 0, "ue-0=fenced")], 20.0)
    agent.signal("ue-0", signal.SIGSTOP)
    agent.start_next("ue-0", beside=True)
    new = heard(agent, "ready", incarnation=1)
    assert [r["pid"] for r in agent.roles()] == [old.pid, new.values["pid"]]
    if continued:
        agent.signal("ue-0", signal.SIGCONT, incarnation=0)
        assert heard(agent, "ended", exit_code=4).values["incarnation"] == 0
    report = agent.stop(QUICK)
    assert (report.killed, report.crashes) == ([], [])
    assert [(r["incarnation"], r["exit_code"]) for r in report.roles] == [(0, 4), (1, 0)]
    assert run_processes(os.environ["M4SC_RUN_ID"]) == []


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_slowed_role_gets_its_share_of_a_core(
    make_agent: Callable[[], Agent], tmp_path: Path, share: float
) -> None:
    """By CPU time of the two, one of them slowed, so that a busy machine slows both."""
    agent = make_agent()
    roles = [spec(tmp_path, "ue", user, "ue-0=busy ue-1=busy") for user in range(2)]
    pids = {r.user: r.pid for r in agent.launch(roles, 20.0)}
    agent.slow("ue-0", share, 60.0)
    began = {user: cpu_time_s(pid) for user, pid in pids.items()}
    began_s = time.monotonic()
    while cpu_time_s(pids[1]) - began[1] < 2.0:
        time.sleep(0.01)
    used_s = cpu_time_s(pids[0]) - began[0]
    wall_s = time.monotonic() - began_s
    print(f"asked {share}, got {used_s / wall_s:.3f} of a core")
    assert used_s / wall_s < 1.5 * share
    assert used_s / 2.0 > 0.4 * share
    agent.go_on("ue-0")
    free_s = cpu_time_s(pids[0])
    while cpu_time_s(pids[0]) - free_s < 0.5:
        assert time.monotonic() - began_s < 30.0
        time.sleep(0.01)
    assert agent.stop(QUICK).killed == []


def test_at_the_stop_nobody_is_slow_or_stands_still(make_agent: Callable[[], Agent], tmp_path: Path) -> None:
    agent = make_agent()
    pids = [r.pid for r in agent.launch(all_roles(tmp_path, "ue-0=busy"), 20.0)]
    (tmp_path / "journal.jsonl").write_bytes(bytes(1_000))
    agent.slow("ue-0", 0.05, 60.0)
    agent.signal("ue-1", signal.SIGSTOP)
    agent.fill_disk("bs")
    deadline_s = time.monotonic() + 5.0
    while 1_064 not in (limits := [resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] for pid in pids]):
        assert time.monotonic() < deadline_s
    assert sorted(limits) == [resource.RLIM_INFINITY] * 3 + [1_064]
    report = agent.stop(QUICK)
    assert (report.killed, report.late) == ([], {})
    assert [r["exit_code"] for r in report.roles] == [0] * 4


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
