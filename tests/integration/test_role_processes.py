"""Base station, emulator and UEs as real processes over real sockets, with the shipped bundle."""

import importlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from launch.reference.journal import undocumented
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.link import ControlHub
from shared.spec import RoleSpec
from shared.wire.messages import Command, Done, Message, Ready, RoleFailed, WorkloadDone
from tests.simulation.settings import IMAGES

PACKAGES = {"bs": "basestation", "ce": "channel_emulator", "ue": "userequipment"}
USERS = 2
REQUESTS = 4
AIR = {"model": "awgn", "snr_db": 20.0}


FORKS = multiprocessing.get_context("forkserver")  # it imports torch once, and never computes
FORKS.set_forkserver_preload([f"{package}.process" for package in PACKAGES.values()])


def run_role(package: str, spec: RoleSpec) -> None:
    sys.exit(importlib.import_module(f"{package}.process").main(spec))


@pytest.fixture(scope="module", autouse=True)
def _fork_server() -> Iterator[None]:
    """Started before the first test and ended after the last one."""
    forkserver.ensure_running()
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the library's own way, for tests


class Agent:
    """A control link and the processes that it started."""

    def __init__(self, config: RunConfig, run_dir: Path) -> None:
        self.config, self.run_dir = config, run_dir
        self.hub = ControlHub()
        self.processes: dict[str, BaseProcess] = {}
        (run_dir / "counters").mkdir()

    def start(self, name: str, data_endpoint: str = "", incarnation: int = 0) -> None:
        role, _, user = name.partition(":")
        spec = RoleSpec(
            "run", role, int(user or -1), incarnation, self.config, self.run_dir, self.hub.endpoint,
            data_endpoint, "here",
        )  # fmt: skip
        process = FORKS.Process(target=run_role, args=(PACKAGES[role], spec))
        process.start()
        self.processes[name] = process

    def wait_for(
        self, kind: type[Message], count: int = 1, timeout_s: float = 60.0
    ) -> list[tuple[str, Message]]:
        """Messages of one kind from the roles; every other kind is passed over."""
        found: list[tuple[str, Message]] = []
        end_s = time.monotonic() + timeout_s
        while len(found) < count:
            received = self.hub.receive_nowait()
            if received is None:
                assert time.monotonic() < end_s, f"no {kind.KIND}"
                time.sleep(0.005)
            elif isinstance(received[1], kind):
                found.append(received)
        return found

    def command(self, verb: str, *names: str) -> list[Done]:
        for name in names:
            self.hub.send(name, Command(verb=verb))
        return [m for _, m in self.wait_for(Done, len(names)) if isinstance(m, Done)]

    def exit_code(self, name: str) -> int | None:
        self.processes[name].join(10.0)
        return self.processes[name].exitcode


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(parse_config({"users": USERS, "max_group": 2, "channel": AIR}, "test"), tmp_path)
    yield agent
    for process in agent.processes.values():
        process.kill()
        process.join()
    agent.hub.close(0)


def write_workload(run_dir: Path) -> None:
    (run_dir / "a.png").write_bytes(IMAGES["a"])
    lines = [
        {
            "index": i,
            "arrival_s": 0.0,
            "user": i % USERS,
            "task": "vqa",
            "text": f"how many {i}",
            "image": "a.png",
        }
        for i in range(REQUESTS)
    ]
    (run_dir / "workload.jsonl").write_text("\n".join(map(json.dumps, lines)))


def whole_run(agent: Agent) -> dict[str, str]:
    """The answers by request, after all that must hold of any run was checked."""
    write_workload(agent.run_dir)
    agent.start("ce")
    ((_, ready),) = agent.wait_for(Ready)
    assert isinstance(ready, Ready)
    peers = ["bs", *(f"ue:{u}" for u in range(USERS))]
    for name in peers:
        agent.start(name, ready.endpoint)
    names = {name for name, _ in agent.wait_for(Ready, len(peers))}
    assert names == set(peers)

    agent.hub.send("bs", Command(verb="start"))
    agent.wait_for(WorkloadDone)
    (done,) = agent.command("drain", "bs")
    assert (done.values["attempted"], done.values["answered"]) == (REQUESTS, REQUESTS)
    agent.command("drain", *peers[1:])
    agent.command("quiesce", *peers, "ce")
    agent.command("stop", *peers, "ce")
    assert [agent.exit_code(n) for n in [*peers, "ce"]] == [0] * (len(peers) + 1)

    journal = [json.loads(line) for line in (agent.run_dir / "journal.jsonl").read_text().splitlines()]
    assert undocumented(journal) == []
    answered = {e["request_id"]: e for e in journal if e["event"] == "ok"}
    assert len(answered) == REQUESTS
    said = {e["request_id"]: e["text"] for e in journal if e["event"] == "ue_answer"}
    assert said == {name: e["text"] for name, e in answered.items()}
    assert {e["digest"] for e in journal if e["event"] == "tokens"} == {
        e["digest"] for e in journal if e["event"] == "ue_tokens"
    }
    return said


def test_a_whole_run(agent: Agent) -> None:
    whole_run(agent)


def test_a_scheme_that_no_role_knows_runs_in_the_same_processes(agent: Agent) -> None:
    agent.config = parse_config(
        {"users": USERS, "max_group": 2, "scheme": "docs.examples.plain_scheme", "channel": AIR}, "test"
    )
    assert whole_run(agent) == {f"r{i:06d}": f"how many {i}"[::-1] for i in range(REQUESTS)}


def test_a_channel_and_a_fault_of_ones_own_run_in_the_same_processes(agent: Agent) -> None:
    air = {"model": "docs.examples.two_paths", "snr_db": 30.0}
    fault = {"fault": "docs.examples.size_loss", "per_kbyte": 0.2}
    agent.config = parse_config(
        {"users": USERS, "max_group": 2, "channel": {**air, "faults": [fault]}}, "test"
    )
    whole_run(agent)
    journal = [json.loads(line) for line in (agent.run_dir / "journal.jsonl").read_text().splitlines()]
    told = {e["what"]: e["strikes"] for e in journal if e["event"] == "fault"}
    assert told == {"begin": 0, "strike": 1}


@pytest.mark.parametrize("name", ["bs", "ue:0"])
def test_a_bundle_that_is_not_there_is_one_line_and_exit_code_2(agent: Agent, name: str) -> None:
    agent.config = agent.config.model_copy(update={"bundle": "no/such/bundle"})
    agent.start(name, "tcp://127.0.0.1:1")
    ((_, failed),) = agent.wait_for(RoleFailed)
    assert isinstance(failed, RoleFailed)
    assert failed.exit_code == 2
    assert failed.detail == "no/such/bundle/config.json: no such file"
    assert agent.exit_code(name) == 2


def test_a_malformed_workload_is_named_by_its_line(agent: Agent) -> None:
    (agent.run_dir / "workload.jsonl").write_text('{"index": 0}\n')
    agent.start("bs", "tcp://127.0.0.1:1")
    ((_, failed),) = agent.wait_for(RoleFailed)
    assert isinstance(failed, RoleFailed)
    assert failed.detail == "workload.jsonl line 1: arrival_s: expected int or float, not None"
    assert agent.exit_code("bs") == 2
