"""Runs over four hosts: one whose data network is cut and heals, one that loses a host of UEs, and one that
loses the emulator's host.

What is looked at: the verdict, on which hosts the roles were, the ledger against the kernel's counters, that
the run folder holds what every host had, how soon it was answered again after the cut, and who was failed,
and who was not, when a host was lost.
"""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from launch.run_files import read_run
from tests.multihost.lab import DATA_NETWORK, Lab, RayNodes, TestHost, lab

HOSTS = ("bs", "ce", "ue1", "ue2")
LABELS = {"ce": "ce", "ue1": "ue", "ue2": "ue"}
CUT_S = 2.0
_RUN_S = 240.0
_LOOK_S = 0.1
_LEAVE_S = 10.0
_CONFIG = """
name: multihost
seed: 1
users: {users}
deadline_ms: 20000
channel: {{model: awgn, snr_db: 10}}
cluster:
  address: {address}
  data_network: {network}
  host_timeout_s: 20
  start_timeout_s: 150
workload: {{source: clevr_style, requests: {requests}, requests_per_s: 2.0, overlap: 0.5, tasks: [vqa]}}
"""

Say = Callable[[str], None]


class Failed(Exception):
    """Something is not as it must be; one line."""


@dataclass
class Finished:
    """A run that has ended."""

    code: int
    folder: Path
    summary: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)

    def require(self, holds: bool, what: str) -> None:
        """Raises `Failed`."""
        if not holds:
            raise Failed(f"{what} (verdict {json.dumps(self.summary.get('verdict'))}, folder {self.folder})")


def rehearse(out: Path, users: int, requests: int, whole: bool, say: Say) -> dict[str, Any]:
    """Build the hosts, run, check, and leave nothing of them. Raises `Failed`. Returns what was measured.

    `whole`: with the run that loses the emulator's host.
    """
    token = secrets.token_hex(32)
    measured: dict[str, Any] = {}
    with lab(HOSTS) as hosts:
        addresses = ", ".join(host.address for host in hosts.hosts.values())
        say(f"{len(HOSTS)} hosts, each in its namespaces: {addresses}")
        nodes = RayNodes(hosts, token, LABELS)
        say(f"a Ray node on each, the head at {nodes.address}")
        measured["doctor"] = _doctor(hosts, nodes.address, token)
        say(f"with the emulator's cable out, m4sc doctor --cluster says: {measured['doctor']}")
        runner = _Runner(hosts, nodes.address, token, out, users, requests)
        measured["cut"] = _after_cut(runner.run("cut", _cut_and_heal), users)
        say(f"cut and healed: {measured['cut']}")
        measured["kill"] = _after_kill(runner.run("kill", _kill_users), users)
        say(f"a host of UEs killed: {measured['kill']}")
        if whole:
            left = "cluster.placement.ues=[m4sc-ue1]"  # Ray takes a while to see that the other is gone
            measured["emulator"] = _after_emulator(runner.run("emulator", _kill_emulator, left))
            say(f"the emulator's host killed: {measured['emulator']}")
    return measured


def _doctor(hosts: Lab, address: str, token: str) -> list[str]:
    """What it finds wrong when one host is not in the data network: that, and nothing else."""
    m4sc = str(Path(sys.executable).parent / "m4sc")
    line = [m4sc, "doctor", "--cluster", address, "--data-network", DATA_NETWORK, "--json"]
    host = hosts.hosts["bs"]
    hosts.cut_data("ce")
    done = subprocess.run(
        host.command(line),
        env=host.environment(token),
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )
    hosts.heal_data("ce")
    if done.returncode != 2:
        raise Failed(f"doctor ended with code {done.returncode}, expected 2: {done.stdout}{done.stderr}")
    wrong = [finding["check"] for finding in json.loads(done.stdout) if not finding["ok"]]
    pairs = {f"m4sc-{name} to m4sc-ce" for name in HOSTS if name != "ce"}
    pairs |= {f"m4sc-ce to m4sc-{name}" for name in HOSTS if name != "ce"}
    if set(wrong) != pairs:
        raise Failed(f"doctor found {wrong}, expected {sorted(pairs)}")
    return wrong


class _Runner:
    """`m4sc run` on the base station's host."""

    def __init__(self, hosts: Lab, address: str, token: str, out: Path, users: int, requests: int) -> None:
        self._lab = hosts
        self._out = out
        self._token = token
        text = _CONFIG.format(users=users, requests=requests, address=address, network=DATA_NETWORK)
        self._config = hosts.folder / "multihost.yaml"
        self._config.write_text(text, encoding="utf-8")

    def run(self, name: str, happens: Callable[[Lab], Mapping[str, float]], *settings: str) -> Finished:
        """One run to its end; `happens` is called when the first request has been answered."""
        folder, host = self._out / name, self._lab.hosts["bs"]
        folder.parent.mkdir(parents=True, exist_ok=True)
        log = self._out / f"{name}.txt"
        with log.open("w") as output:
            command = self._begin(host, folder, output, settings)
        try:
            _wait_for_answer(folder, command, log)
            times = happens(self._lab)
            code = command.wait(_RUN_S)
            times = {**times, "ended": time.monotonic()}
        finally:
            with suppress(subprocess.TimeoutExpired):
                command.terminate()
                command.wait(10.0)
        self._nothing_left()
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return Finished(code, folder, summary, read_run(folder).events, dict(times))

    def _nothing_left(self) -> None:
        """On no host that lives a process of the run, or its folder there. Raises `Failed`."""
        deadline_s = time.monotonic() + _LEAVE_S
        living = [host.folder for host in self._lab.hosts.values() if host.holder.poll() is None]
        while left := [found for folder in living for found in _left_on(folder)]:
            if time.monotonic() > deadline_s:
                raise Failed(f"left on the hosts after {_LEAVE_S:g} s: {left}")
            time.sleep(_LOOK_S)

    def _begin(
        self, host: TestHost, folder: Path, output: Any, settings: Sequence[str]
    ) -> "subprocess.Popen[bytes]":
        m4sc = str(Path(sys.executable).parent / "m4sc")
        line = [m4sc, "run", str(self._config), "--out", str(folder), "--json"]
        line += [word for setting in settings for word in ("--set", setting)]
        return subprocess.Popen(
            host.command(line),
            env=host.environment(self._token),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _cut_and_heal(hosts: Lab) -> Mapping[str, float]:
    """The emulator's cable is out for a while: that time is the experiment."""
    began_s = time.monotonic()
    hosts.cut_data("ce")
    time.sleep(CUT_S)
    hosts.heal_data("ce")
    return {
        "cut": began_s,
        "healed": time.monotonic(),
        "ce_bytes": float(sum(hosts.hosts["ce"].data_bytes())),
    }


def _kill_users(hosts: Lab) -> Mapping[str, float]:
    killed_s = time.monotonic()
    hosts.kill("ue2")
    return {"killed": killed_s}


def _kill_emulator(hosts: Lab) -> Mapping[str, float]:
    killed_s = time.monotonic()
    hosts.kill("ce")
    return {"killed": killed_s}


def _after_cut(run: Finished, users: int) -> dict[str, Any]:
    summary = run.summary
    requests = summary["requests"]
    run.require(run.code == 0, f"the run over a cut ended with code {run.code}, expected 0 (valid)")
    run.require(requests["lost"] == requests["duplicated"] == requests["misdelivered"] == 0, "requests lost")
    addresses = {role["address"] for role in summary["roles"]}
    run.require(len(addresses) == len(HOSTS), f"roles on {sorted(addresses)}, expected four addresses")
    alone = [role["role"] for role in summary["roles"] if role["host"] == "m4sc-ce"]
    run.require(alone == ["ce"], f"on the emulator's host are {alone}")
    ends = sum(event.get("event") == "kernel" for event in run.events)
    run.require(ends >= 2 * (users + 1), f"{ends} connection ends were read, expected {2 * (users + 1)}")
    missing = [name for name in _logs(users) if not (run.folder / "logs" / name).exists()]
    run.require(not missing, f"logs not gathered: {missing}")
    healed_s = run.times["healed"]
    answered = [e["t"] for e in run.events if e["event"] == "ok" and e["t"] > healed_s]
    run.require(bool(answered), "nothing was answered after the cut")
    in_cut = [e["t"] for e in run.events if e["event"] == "ok" and run.times["cut"] + 0.2 < e["t"] < healed_s]
    run.require(
        not in_cut, f"{len(in_cut)} answers came while the network was cut: it was not the one in use"
    )
    return {
        "verdict": summary["verdict"],
        "answered": requests["answered"],
        "attempted": requests["attempted"],
        "recovery_s": round(min(answered) - healed_s, 2),
        "kernel_ends": ends,
        "hosts": sorted(addresses),
    }


def _after_kill(run: Finished, users: int) -> dict[str, Any]:
    run.require(run.code == 3, f"the run that lost a host ended with code {run.code}, expected 3 (unknown)")
    lost = [event for event in run.events if event.get("what") == "host_lost"]
    run.require(len(lost) == 1 and "m4sc-ue2" in lost[0]["detail"], f"hosts said to be lost: {lost}")
    gone = {event["user"] for event in run.events if event.get("what") == "unreachable"}
    run.require(gone == set(range(1, users, 2)), f"users said to be lost: {sorted(gone)}")
    ends = {"ok", "degraded", "fail", "expired", "refused"}
    asked = {e["request_id"]: e["user"] for e in run.events if e["event"] == "invoke"}
    ended = {e["request_id"]: e["event"] for e in run.events if e["event"] in ends}
    run.require(asked.keys() == ended.keys(), f"without an end: {sorted(asked.keys() - ended.keys())}")
    others = [
        name for name, user in asked.items() if user not in gone and ended[name] not in ("ok", "degraded")
    ]
    run.require(not others, f"not answered though their UEs were there: {others}")
    failed = [name for name, user in asked.items() if user in gone and ended[name] in ("fail", "expired")]
    run.require(bool(failed), "no request of a lost UE failed")
    noticed_s = lost[0]["t"] - run.times["killed"]
    return {
        "verdict": run.summary["verdict"],
        "noticed_s": round(noticed_s, 2),
        "failed_of_lost_users": len(failed),
        "attempted": len(asked),
        "answered_of_the_others": sum(user not in gone for user in asked.values()),
    }


def _after_emulator(run: Finished) -> dict[str, Any]:
    run.require(run.code == 3, f"the run that lost its emulator ended with code {run.code}, expected 3")
    failure = str(run.summary["launch"]["failure"])
    run.require(failure.startswith("host m4sc-ce is lost"), f"it failed because of {failure}")
    places = {role["host"] for role in run.summary["roles"] if role["role"] == "ue"}
    run.require(places == {"m4sc-ue1"}, f"UEs were on {places}, not where they were placed")
    return {
        "verdict": run.summary["verdict"],
        "failure": failure[:60],
        "ended_after_s": round(run.times["ended"] - run.times["killed"], 2),
    }


def _left_on(folder: Path) -> list[str]:
    """Forkservers, and the roles that they forked, of the host with this folder; and run folders in it."""
    found = [str(path) for path in folder.glob("tmp/m4sc-host-*")]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            theirs = process.environ().get("TMPDIR", "").startswith(str(folder))
            if theirs and process.is_running() and "launch.forkserver" in process.cmdline():
                found.append(str(process))
    return found


def _logs(users: int) -> list[str]:
    return ["bs.log", "ce.log", *(f"ue-{user}.log" for user in range(users))]


def _wait_for_answer(folder: Path, command: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the journal of the base station's host has the first answer. Raises `Failed`."""
    deadline_s = time.monotonic() + _RUN_S
    while time.monotonic() < deadline_s:
        if command.poll() is not None:
            raise Failed(f"the run ended before its first answer: {log.read_text()[-600:]}")
        journal = folder / "journal.jsonl"
        if journal.exists() and b'"event":"ok"' in journal.read_bytes():
            return
        time.sleep(_LOOK_S)
    raise Failed(f"no answer within {_RUN_S:g} s ({log})")
