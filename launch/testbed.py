"""A running testbed: its agent, or agents, and its roles, from the supervisor's point of view.

An existing cluster (`cluster.address`) must have a node on this machine: the base station runs there.
"""

import math
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from launch.agent_api import AgentApi, StopBudget, StopReport
from launch.chaos.entries import checked_fault
from launch.chaos.place import RolePlace, name_of
from launch.chaos.striker import Striker
from launch.errors import LaunchError
from launch.event_box import AgentEvent
from launch.thumbnails import keep_asked
from shared.config import RunConfig
from shared.journal import Journal
from shared.process_fault_config import Listed, ProcessFault, late_users
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult

MAX_RESTARTS = 3
"""How often one UE, or the base station, is started again before its crash ends the run."""
_POLL_S = 0.25
_ASK_SLACK_S = 5.0

Tell = Callable[[dict[str, Any]], None]
"""Takes what the command shows: {"kind": "phase" | "progress" | "note", ...}."""


class Testbed:
    """Not thread-safe; but `ask`, `inject` and `status` may be called while `watch` runs."""

    __test__ = False  # not a test, whatever its name says to pytest

    def __init__(self, config: RunConfig, run_dir: Path, run_id: str, agent: AgentApi, tell: Tell) -> None:
        self._config = config
        self._run_dir = run_dir
        self._run_id = run_id
        self._agent = agent
        self._tell = tell
        self._host = socket.gethostname()
        self._restarts: Counter[str] = Counter()
        self._orderly: set[str] = set()
        self._place = RolePlace(agent, config.cluster.start_timeout_s)
        self._striker = Striker(config.process_faults, self._place, self._note_fault)
        self._heal_s = math.inf if config.chaos is None else config.chaos.heal_s
        self._injected: SimpleQueue[Listed | None] = SimpleQueue()
        self._begun = False
        self._asked = 0
        self._progress: dict[str, Any] = {}
        self._journal = Journal(run_dir / "journal.jsonl", "agent", -1, self._host, os.getpid())
        self.failure: str | None = None
        self.workload_done = False

    def start_emulator(self, timeout_s: float) -> str:
        """Start the emulator; its data endpoint. Raises `LaunchError`."""
        (ready,) = self._agent.launch([self._spec("ce", -1, "")], timeout_s)
        return ready.endpoint

    def start_others(self, endpoint: str, timeout_s: float) -> None:
        """Start base station and UEs in parallel, but those that shall be late. Raises `LaunchError` naming
        who is missing."""
        late = late_users(self._config.process_faults)
        for user in late:
            self._place.keep(self._spec("ue", user, endpoint))
        users = [self._spec("ue", user, endpoint) for user in range(self._config.users) if user not in late]
        self._agent.launch([self._spec("bs", -1, endpoint), *users], timeout_s)

    def begin(self) -> None:
        """Let the workload begin."""
        self._agent.begin()
        self._begun = True
        self.begin_faults()

    def begin_faults(self) -> None:
        """Their time begins; for a testbed that stays up when it is ready."""
        now_s = time.monotonic()
        self._striker.begin(now_s)
        self._heal_s += now_s

    def watch(self) -> None:
        """Take what happened within a quarter second; do what is scheduled; start again what ended."""
        now_s = time.monotonic()
        self._take_injected(now_s)
        self._striker.tick(now_s)
        if now_s >= self._heal_s:
            self._heal_s = math.inf
            self._heal()
        wait_s = min(self._striker.wait_s(now_s, _POLL_S), max(0.0, self._heal_s - now_s))
        for event in self._agent.events(wait_s):
            self._on_event(event)
        for name in self._place.overdue(time.monotonic()):
            timeout_s, logs = self._config.cluster.start_timeout_s, self._run_dir / "logs"
            self.failure = self.failure or f"{name} was not ready again within {timeout_s:g} s (logs: {logs})"
        self._journal.flush()  # what a full disk did not take

    def ask(self, user: int, task: str, text: str, image: bytes) -> AskResult:
        """One question through the testbed. Raises `LaunchError` when no terminal state comes in time."""
        self._asked += 1
        keep_asked(self._run_dir, image)
        question = Ask(
            ask_id=f"ask-{os.getpid()}-{self._asked}", user=user, task=task, text=text, payload=image
        )
        return self._agent.ask(question, self._config.deadline_ms / 1e3 + _ASK_SLACK_S)

    def inject(self, entry: Any) -> dict[str, Any]:
        """A fault that begins now, as a scenario has them; None: all that go on end. What became of it.

        Raises `ConfigError` for what is no fault of this run, and `LaunchError`.
        """
        if entry is None:
            told = self._agent.inject("")
            self._injected.put(None)
            return told
        fault = checked_fault(entry, self._config)
        if isinstance(fault, ProcessFault):
            self._injected.put(fault)
            return {"fault": fault.fault, "on": fault.role}
        told = self._agent.inject(fault.model_dump_json())
        if "refused" in told:
            raise LaunchError(str(told["refused"]))
        return told

    def status(self) -> dict[str, Any]:
        return {"roles": self._agent.roles(), "progress": dict(self._progress), "failure": self.failure}

    def stop(self, budget: StopBudget) -> StopReport:
        """The ordered stop of all roles; nothing is struck any more, and nobody stays paused."""
        self._striker.close(time.monotonic())
        report = self._agent.stop(budget)
        for event in self._agent.events(0.0):  # the last numbers; what ends now is not a crash
            if event.what in ("progress", "host_lost"):
                self._on_event(event)
        for step, names in report.late.items():
            self._record("late", -1, f"{step}: {', '.join(names) or 'the ends of a link disagree'}")
        for name in report.killed:
            self._record("killed", -1, name)
        return report

    def record_interrupt(self, why: str) -> None:
        self._record("interrupted", -1, why)

    def _take_injected(self, now_s: float) -> None:
        while not self._injected.empty():
            fault = self._injected.get()
            if fault is None:
                self._striker.heal(time.monotonic())
                self._note_heal()
            else:
                self._striker.inject(fault, now_s)

    def _heal(self) -> None:
        """The scenario's faults are over."""
        self._striker.heal(time.monotonic())
        try:
            self._agent.inject("")
        except LaunchError as error:  # an emulator that is gone: its own clock ends them when it is back
            self._tell({"kind": "note", "text": f"heal: {error}"})
        self._note_heal()

    def _note_heal(self) -> None:
        self._journal.write("fault", time.monotonic(), what="heal", strikes=0)
        self._tell({"kind": "note", "text": "all faults healed"})

    def _on_event(self, event: AgentEvent) -> None:
        if event.what == "progress":
            if event.role == "bs":
                self._progress = event.values
            self._tell({"kind": "progress", "role": event.role, "user": event.user, "values": event.values})
        elif event.what == "workload_done":
            self.workload_done = True
        elif event.what == "agent_failed":
            self.failure = self.failure or str(event.values["line"])
        elif event.what == "not_sampled":
            self._record("not_sampled", -1, str(event.values["line"]))
            self._tell({"kind": "note", "text": str(event.values["line"])})
        elif event.what == "host_lost":
            self.record_lost_host(event.values["host"], event.values["names"], str(event.values["line"]))
        elif event.what == "ready" and _name(event) in self._place.starting:
            self._on_started(event)
        elif event.what in ("crashed", "ended"):
            self._on_end(event)

    def record_lost_host(self, host: str, names: list[str], line: str) -> None:
        """Its roles are lost, with all they had written. Without base station or emulator a run ends."""
        self._record("host_lost", -1, line, place=host)
        for name in names:
            user = int(name.removeprefix("ue-")) if name.startswith("ue-") else -1
            self._record("unreachable", user, line, peer=name)
            self._place.starting.pop(name, None)
        self._tell({"kind": "note", "text": f"{line}; lost with it: {', '.join(names) or 'no role'}"})
        if {"bs", "ce"} & set(names):
            self.failure = self.failure or line

    def _on_started(self, event: AgentEvent) -> None:
        """A role that was started while the others run is ready."""
        name, pid, incarnation = _name(event), event.values["pid"], event.values["incarnation"]
        del self._place.starting[name]
        what = "joined" if incarnation == 0 else "returned" if name in self._orderly else "restarted"
        self._orderly.discard(name)
        self._record(what, event.user, f"incarnation {incarnation}, pid {pid}", peer=name)
        self._tell({"kind": "note", "text": f"{name} {what} as pid {pid}"})
        if event.role == "bs" and self._begun:
            self._agent.begin()
        self._striker.ready(name, time.monotonic())

    def _on_end(self, event: AgentEvent) -> None:
        """A process has ended: as it was asked to, because a fault killed it, or by itself."""
        line, name, crashed = str(event.values["line"]), _name(event), event.what == "crashed"
        if crashed:
            self._record("crashed", event.user, line, peer=name, exit_code=event.values["exit_code"])
            self._tell({"kind": "crash", "text": line, "last_output": list(event.values["last_output"])})
        elif event.role != "ce" and event.values["exit_code"] == 0:  # the emulator leaves messages under way
            self._orderly.add(name)
        try:
            wanted = self._striker.ended(name, int(event.values["incarnation"]), time.monotonic())
            if crashed and not wanted:
                self._start_again(name, event.role, line)
        except LaunchError as error:
            self.failure = self.failure or str(error)

    def _start_again(self, name: str, role: str, line: str) -> None:
        """After a crash: a UE or base station, a few times, but not one that cannot even start."""
        self._restarts[name] += 1
        if role == "ce" or name in self._place.starting or self._restarts[name] > MAX_RESTARTS:
            self.failure = self.failure or line
            return
        self._place.start(name)

    def _note_fault(self, what: str, fault: str, role: str, strikes: int, **fields: Any) -> None:
        now_s = time.monotonic()
        self._journal.write("fault", now_s, what=what, fault=fault, on=role, strikes=strikes, **fields)

    def _record(self, what: str, user: int, detail: str, **fields: Any) -> None:
        self._journal.write("process", time.monotonic(), user=user, what=what, detail=detail, **fields)

    def _spec(self, role: str, user: int, endpoint: str) -> RoleSpec:
        return RoleSpec(
            run_id=self._run_id,
            role=role,
            user=user,
            incarnation=0,
            config=self._config,
            run_dir=self._run_dir,
            control_endpoint="",  # the agent's own, which it fills in
            data_endpoint=endpoint,
            host=self._host,
        )


def _name(event: AgentEvent) -> str:
    return name_of({"role": event.role, "user": event.user})
