"""Carries out scheduled faults on processes, and says when each began, ended, and whether it struck.

Every fault that began ends: a kill when its role is ready again, a pause when it is continued, each at the
latest when the testbed stops. Time is an argument, in seconds of one monotonic clock.
"""

import signal
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from launch.chaos.processes import ProcessFaults, Step
from launch.errors import LaunchError
from shared.process_fault_config import ProcessFaultConfig

SendSignal = Callable[[str, int], None]
"""Role and number; raises `LaunchError` where that cannot be done."""


class Note(Protocol):
    """Takes what the journal shall say."""

    def __call__(self, what: str, fault: str, role: str, strikes: int, **fields: Any) -> None: ...


class Striker:
    """Nothing is due before `begin`."""

    def __init__(self, faults: Sequence[ProcessFaultConfig], send: SendSignal, note: Note) -> None:
        self._schedule = ProcessFaults(faults)
        self._send = send
        self._note = note
        self._begun_s: float | None = None
        self._killed: dict[str, tuple[str, float]] = {}
        self._paused: dict[str, str] = {}

    def begin(self, now_s: float) -> None:
        """The workload begins."""
        self._begun_s = now_s

    def wait_s(self, now_s: float, most_s: float) -> float:
        """How long nothing is due, at most `most_s`."""
        if self._begun_s is None:
            return most_s
        return max(0.0, min(most_s, self._begun_s + self._schedule.next_s() - now_s))

    def tick(self, now_s: float) -> None:
        """Send what is due."""
        for step in [] if self._begun_s is None else self._schedule.due(now_s - self._begun_s):
            if step.what == "begin":
                self._strike(step, now_s)
            else:
                self._continue(step.name)

    def has_killed(self, role: str) -> bool:
        """Whether the end of a role was wanted."""
        return role in self._killed

    def restarted(self, role: str, now_s: float) -> None:
        """A role that was killed is ready again."""
        fault, struck_s = self._killed.pop(role)
        self._note("end", fault, role, strikes=1, ready_after_s=round(now_s - struck_s, 3))

    def inject(self, fault: ProcessFaultConfig, now_s: float) -> str:
        """One more, with `at_s` from now on; its name."""
        elapsed_s = 0.0 if self._begun_s is None else now_s - self._begun_s
        return self._schedule.add(fault.model_copy(update={"at_s": elapsed_s + fault.at_s}))

    def heal(self) -> None:
        """Nothing is due any more and nobody stays paused; who was killed is being started anyway."""
        for step in self._schedule.left():
            if step.what == "begin":
                self._note("end", step.name, step.role, strikes=0)
        for fault in list(self._paused):
            self._continue(fault)

    def close(self) -> None:
        """The testbed stops: what began ends."""
        self.heal()
        for role, (fault, _) in self._killed.items():
            self._note("end", fault, role, strikes=1)
        self._killed.clear()

    def _strike(self, step: Step, now_s: float) -> None:
        """A role that is on its way out already, or cannot be reached, is not struck."""
        self._note("begin", step.name, step.role, strikes=0)
        if step.role in self._killed or not self._sent(step.role, step.number):
            self._note("end", step.name, step.role, strikes=0)
        elif step.number == signal.SIGKILL:
            self._killed[step.role] = step.name, now_s
        else:
            self._paused[step.name] = step.role

    def _continue(self, fault: str) -> None:
        """Unless it never stood still."""
        role = self._paused.pop(fault, None)
        if role is not None:
            self._sent(role, signal.SIGCONT)
            self._note("end", fault, role, strikes=1)

    def _sent(self, role: str, number: int) -> bool:
        try:
            self._send(role, number)
        except LaunchError:
            return False
        return True
