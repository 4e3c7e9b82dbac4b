"""A running testbed: Ray, the agent of this host and its roles, from the supervisor's point of view.

Placement: every role on this host. Links are loopback and the run folder is local, so an existing cluster
(`cluster.address`) must have a node on this machine; the agent is pinned to it.
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
from launch.chaos.striker import Striker
from launch.errors import LaunchError
from launch.event_box import AgentEvent
from shared.config import RunConfig
from shared.journal import Journal
from shared.process_fault_config import ProcessFaultConfig
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult

MAX_RESTARTS = 3
"""How often one UE, or the base station, is started again before its crash ends the run."""
_POLL_S = 0.25
_ASK_SLACK_S = 5.0

Tell = Callable[[dict[str, Any]], None]
"""Takes what the command shows: {"kind": "phase" | "progress" | "note", ...}."""


class Testbed:
    """Not thread-safe; but `ask`, `inject`, `status` and `restart` may be called while `watch` runs."""

    __test__ = False  # not a test, whatever its name says to pytest

    def __init__(self, config: RunConfig, run_dir: Path, run_id: str, agent: AgentApi, tell: Tell) -> None:
        self._config = config
        self._run_dir = run_dir
        self._run_id = run_id
        self._agent = agent
        self._tell = tell
        self._host = socket.gethostname()
        self._restarts: Counter[str] = Counter()
        self._striker = Striker(config.process_faults, agent.signal, self._note_fault)
        self._heal_s = math.inf if config.chaos is None else config.chaos.heal_s
        self._injected: SimpleQueue[ProcessFaultConfig | None] = SimpleQueue()
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
        """Start base station and UEs in parallel. Raises `LaunchError` naming who is missing."""
        users = [self._spec("ue", user, endpoint) for user in range(self._config.users)]
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

    def ask(self, user: int, task: str, text: str, image: bytes) -> AskResult:
        """One question through the testbed. Raises `LaunchError` when no terminal state comes in time."""
        self._asked += 1
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
        if isinstance(fault, ProcessFaultConfig):
            self._injected.put(fault)
            return {"fault": fault.fault, "on": fault.role}
        told = self._agent.inject(fault.model_dump_json())
        if "refused" in told:
            raise LaunchError(str(told["refused"]))
        return told

    def restart(self, name: str) -> None:
        """Start the next incarnation of a role. Raises `LaunchError`."""
        ready = self._agent.restart(name, self._config.cluster.start_timeout_s)
        detail = f"incarnation {ready.incarnation}, pid {ready.pid}"
        self._record("restarted", ready.user, detail, peer=name)
        self._tell({"kind": "note", "text": f"{name} restarted as pid {ready.pid}"})

    def status(self) -> dict[str, Any]:
        return {"roles": self._agent.roles(), "progress": dict(self._progress), "failure": self.failure}

    def stop(self, budget: StopBudget) -> StopReport:
        """The ordered stop of all roles; nothing is struck any more, and nobody stays paused."""
        self._striker.close()
        report = self._agent.stop(budget)
        for event in self._agent.events(0.0):  # the last numbers; what ends now is not a crash
            if event.what == "progress":
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
                self._striker.heal()
                self._note_heal()
            else:
                self._striker.inject(fault, now_s)

    def _heal(self) -> None:
        """The scenario's faults are over."""
        self._striker.heal()
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
        elif event.what == "crashed":
            self._on_crash(event)

    def _on_crash(self, event: AgentEvent) -> None:
        line, name = str(event.values["line"]), _name(event)
        self._record("crashed", event.user, line, peer=name, exit_code=event.values["exit_code"])
        self._tell({"kind": "crash", "text": line, "last_output": list(event.values["last_output"])})
        wanted = self._striker.has_killed(name)
        self._restarts[name] += not wanted
        if self._restarts[name] > MAX_RESTARTS or (event.role == "ce" and not wanted):
            self.failure = self.failure or line
            return
        try:
            self.restart(name)
            if event.role == "bs" and self._begun:
                self._agent.begin()
        except LaunchError as error:
            self.failure = self.failure or str(error)
            return
        if wanted:
            self._striker.restarted(name, time.monotonic())

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
    """Of the role: 'bs', 'ce', 'ue-3'."""
    return f"ue-{event.user}" if event.role == "ue" else event.role
