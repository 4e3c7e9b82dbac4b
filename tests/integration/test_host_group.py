"""Two hosts' agents as one, without Ray: real processes and links, roles that do nothing but obey."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launch.agent import Agent
from launch.agent_api import AgentSettings, StopBudget
from launch.errors import HostLost, LaunchError
from launch.event_box import AgentEvent
from launch.gather import fetch_host
from launch.guardian import kill_run, run_processes
from launch.host_api import Clock
from launch.host_files import BundleShelf
from launch.host_group import HostGroup
from launch.host_start import start_group
from launch.placement import Host, place
from shared.config import ClusterConfig, PlacementConfig, RunConfig
from shared.keys import AllowList
from shared.semantic.manifest import read_manifest
from shared.shipped import SHIPPED_BUNDLES
from shared.spec import RoleSpec
from shared.wire.messages import Ask

ROOT = Path(__file__).resolve().parents[2]
TINY = dict.fromkeys(("bs", "ce", "ue"), "tests.integration.tiny_role")
QUICK = StopBudget(drain_s=2.0, quiesce_s=1.0, counters_s=1.0, exit_s=2.0)
HERE, THERE = Host("1", "here", "127.0.0.1", True), Host("2", "there", "127.0.0.2", False)
CONFIG = RunConfig(name="tiny", users=2, cluster=ClusterConfig(address="127.0.0.1:1"))


class Mortal(Agent):
    """An agent whose host can be lost: it does not answer any more."""

    lost = False

    def _check(self) -> None:
        if self.lost:
            raise HostLost("the agent of there is gone")

    def events(self, timeout_s: float) -> list[AgentEvent]:
        found = super().events(timeout_s)
        self._check()
        return found

    def up(self, role: str = "") -> list[str]:
        self._check()
        return super().up(role)


class Elsewhere(Mortal):
    """Its host was started later: its clock shows 1,000 s less."""

    def clock(self) -> Clock:
        return Clock("another boot", time.monotonic() - 1_000.0)


@pytest.fixture
def make_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], HostGroup]]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run_id = f"test-{tmp_path.name}-{os.getpid()}"
    monkeypatch.setenv("M4SC_RUN_ID", run_id)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    made: list[Agent] = []
    groups: list[HostGroup] = []

    def make(curve_users: int = 0) -> HostGroup:
        settings = AgentSettings(
            run_id, run_dir, "here", role_modules=TINY, warm_modules=(), curve_users=curve_users
        )

        def agent(host: Host, settings: AgentSettings) -> Agent:
            made.append((Mortal if host.here else Elsewhere)(settings))
            return made[-1]

        placement = place([HERE, THERE], 2, PlacementConfig())
        groups.append(start_group(placement, CONFIG, settings, agent, print))
        return groups[-1]

    yield make
    for group in groups:
        group.close()
    for agent in made:
        agent.close()
        agent.leave()
    assert kill_run(run_id) == []


def specs(tmp_path: Path) -> list[RoleSpec]:
    roles = [("ce", -1), ("bs", -1), ("ue", 0), ("ue", 1)]
    return [RoleSpec("run", role, user, 0, CONFIG, tmp_path / "run", "", "", "?") for role, user in roles]


def heard(group: HostGroup, what: str) -> AgentEvent:
    deadline_s = time.monotonic() + 10.0
    while time.monotonic() < deadline_s:
        for event in group.events(0.1):
            if event.what == what:
                return event
    raise AssertionError(f"nothing heard of {what}")


@pytest.mark.parametrize("curve_users", [0, 2])
def test_roles_of_two_hosts_start_obey_and_stop_as_one(
    make_group: Callable[..., HostGroup], tmp_path: Path, curve_users: int
) -> None:
    group = make_group(curve_users)
    ready = group.launch(specs(tmp_path), 20.0)
    assert len({r.pid for r in ready}) == 4
    roles = {(r["role"], r["user"]): (r["host"], r["address"]) for r in group.roles()}
    assert roles["bs", -1] == roles["ce", -1] == ("here", "127.0.0.1")
    assert roles["ue", 0] == roles["ue", 1] == ("there", "127.0.0.2")
    group.begin()
    assert heard(group, "workload_done").values == {"attempted": 3}
    question = Ask(ask_id="a1", user=1, task="vqa", text="why?", payload=b"png")
    assert group.ask(question, 5.0).text == "you asked: why?"
    group.signal("ue-1", signal.SIGKILL)
    assert heard(group, "crashed").user == 1
    group.start_next("ue-1")
    assert heard(group, "ready").values["incarnation"] == 1
    report = group.stop(QUICK)
    assert (report.drained, report.counters_equal, report.late, report.killed) == (True, True, {}, [])
    assert sorted(report.kernel) == ["bs", "ce", "ue-0", "ue-1"]
    assert run_processes(os.environ["M4SC_RUN_ID"]) == []


def test_what_a_host_has_is_gathered_and_its_times_are_made_ours(
    make_group: Callable[..., HostGroup], tmp_path: Path
) -> None:
    group = make_group()
    group.launch(specs(tmp_path), 20.0)
    agent, run_dir = group.living()["there"], tmp_path / "run"
    now_s = time.monotonic()
    line = json.dumps({"t": now_s - 1_000.0, "event": "process", "what": "ready"})
    agent.put_file("journal.jsonl", 0, f'{line}\n{{"t":1,"ev'.encode())
    with pytest.raises(LaunchError, match=r"not a file of the run folder"):
        agent.put_file("../elsewhere", 0, b"x")
    group.stop(QUICK)
    assert not (run_dir / "logs" / "ue-0.log").exists()
    fetch_host(agent, "there", run_dir, 10.0)
    assert "ue-0 starts" in (run_dir / "logs" / "ue-0.log").read_text()
    assert (run_dir / "logs" / "forkserver-warm.there.log").exists()
    assert {"agent.0.bin", "agent.0.there.bin", "ue-0.0.bin"} <= {
        path.name for path in (run_dir / "counters").iterdir()
    }
    whole, torn = (run_dir / "journal.jsonl").read_text().splitlines()
    assert abs(json.loads(whole)["t"] - now_s) < 1.0
    assert torn == '{"t":1,"ev'
    assert not list(run_dir.glob(".*"))
    with pytest.raises(LaunchError, match=r"cannot be read"):  # it has left
        agent.read_file("journal.jsonl", 0)


def test_a_lost_host_is_told_once_and_waited_for_no_more(
    make_group: Callable[..., HostGroup], tmp_path: Path
) -> None:
    group = make_group()
    group.launch(specs(tmp_path), 20.0)
    group.roles()
    there = group.living()["there"]
    assert isinstance(there, Mortal)
    there.lost = True
    event = heard(group, "host_lost")
    assert event.values["host"] == "there"
    assert event.values["names"] == ["ue-0", "ue-1"]
    assert list(group.living()) == ["here"]
    with pytest.raises(LaunchError, match=r"host there is lost: the agent of there is gone"):
        group.signal("ue-1", signal.SIGKILL)
    began_s = time.monotonic()
    assert {r["role"]: r["exit_code"] for r in group.roles()} == {"bs": None, "ce": None, "ue": -9}
    report = group.stop(QUICK)
    assert time.monotonic() - began_s < 10.0
    assert sorted(report.kernel) == ["bs", "ce"]
    assert {r["role"]: r["exit_code"] for r in report.roles} == {"bs": 0, "ce": 0, "ue": -9}


def test_keys_of_other_hosts_are_known_by_their_public_half(make_group: Callable[..., HostGroup]) -> None:
    group = make_group(curve_users=2)
    here, there = (group.living()[name] for name in ("here", "there"))
    assert isinstance(here, Agent)
    assert isinstance(there, Agent)
    emulator, user = here._core._keys.role("ce"), there._core._keys.role("ue-1")  # type: ignore[union-attr]
    assert user.hubs["ce"] == emulator.own.public
    assert emulator.guests["ue-1"].public == user.own.public
    allowed = AllowList(emulator.guests)
    assert allowed.admitted(b"ue-1.0." + user.own.tag, "ue-1") == b"ue-1.0"


def test_a_bundle_is_brought_once_and_only_whole(tmp_path: Path) -> None:
    source = SHIPPED_BUNDLES / "micro"
    manifest = read_manifest(source)
    shelf, key = BundleShelf(tmp_path), manifest.fingerprint
    assert shelf.find("micro", key) == str(source)
    assert shelf.find("/nowhere/of/mine", key) is None
    names = [*manifest.files, "bundle.json"]
    for name in names:
        shelf.put(key, name, 0, (source / name).read_bytes())
    shelf.put(key, "config.json", 0, b"!")
    with pytest.raises(LaunchError, match=r"it arrived damaged: .*config\.json"):
        shelf.keep(key)
    assert shelf.find("/nowhere/of/mine", key) is None
    for name in names:
        shelf.put(key, name, 0, (source / name).read_bytes())
    kept = shelf.keep(key)
    assert shelf.find("/nowhere/of/mine", key) == kept
    assert [path.name for path in tmp_path.iterdir()] == [key]
