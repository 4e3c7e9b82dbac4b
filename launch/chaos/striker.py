"""Carries out scheduled faults on processes, and says when each began, ended, and how many it struck.

Every fault that began ends: when its time is over, when its role is ready again, at the latest when the
testbed stops. A role suffers one fault at a time: another that begins meanwhile does not strike it. Time is
an argument, in seconds of one monotonic clock.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from launch.chaos.processes import ProcessFaults, Step
from launch.chaos.strike import Place, Strike
from launch.chaos.strikes import strike_of
from launch.errors import LaunchError
from shared.process_fault_config import Listed


class Note(Protocol):
    """Takes what the journal shall say."""

    def __call__(self, what: str, fault: str, role: str, strikes: int, **fields: Any) -> None: ...


class Striker:
    """Nothing is due before `begin`."""

    def __init__(self, faults: Sequence[Listed], place: Place, note: Note) -> None:
        self._schedule = ProcessFaults(faults)
        self._place = place
        self._note = note
        self._begun_s: float | None = None
        self._active: dict[str, tuple[Step, Strike]] = {}

    def begin(self, now_s: float) -> None:
        """The workload begins."""
        self._begun_s = now_s

    def wait_s(self, now_s: float, most_s: float) -> float:
        """How long nothing is due, at most `most_s`."""
        if self._begun_s is None:
            return most_s
        return max(0.0, min(most_s, self._begun_s + self._schedule.next_s() - now_s))

    def tick(self, now_s: float) -> None:
        """Do what is due."""
        for step in [] if self._begun_s is None else self._schedule.due(now_s - self._begun_s):
            if step.what == "begin":
                self._strike(step, now_s)
            elif step.name in self._active:
                self._over(self._active[step.name][1], now_s)
        self._note_ends()

    def ended(self, role: str, incarnation: int, now_s: float) -> bool:
        """A process of a role has ended: whether a fault did that, which then sees to what follows.

        Raises `LaunchError` where that cannot be done.
        """
        mine = False
        for _, strike in self._active.values():
            if role in strike.roles:
                mine |= strike.ended(incarnation, now_s)
        self._note_ends()
        return mine

    def ready(self, role: str, now_s: float) -> None:
        """A process of a role is ready."""
        for _, strike in self._active.values():
            if role in strike.roles:
                strike.ready(now_s)
        self._note_ends()

    def inject(self, fault: Listed, now_s: float) -> str:
        """One more, with `at_s` from now on; its name."""
        elapsed_s = 0.0 if self._begun_s is None else now_s - self._begun_s
        return self._schedule.add(fault, elapsed_s + fault.at_s)

    def heal(self, now_s: float) -> None:
        """Nothing begins any more, and all that lasts is over; who is being started goes on starting."""
        for step in self._schedule.left():
            if step.what == "over" and step.name in self._active:
                self._over(self._active[step.name][1], now_s)
            elif step.what == "begin":
                self._note("end", step.name, step.fault.role, strikes=0)
        self._note_ends()

    def close(self, now_s: float) -> None:
        """The testbed stops: nothing is due any more, nobody is started any more, and what began ends."""
        for step in self._schedule.left():
            if step.what == "begin":
                self._note("end", step.name, step.fault.role, strikes=0)
        for _, strike in self._active.values():
            if not strike.done and not strike.starts_when_over:
                self._over(strike, now_s)
            strike.done = True
        self._note_ends()

    def _strike(self, step: Step, now_s: float) -> None:
        """A role that suffers another fault, is on its way in or out, or is not there, is not struck."""
        self._note("begin", step.name, step.fault.role, strikes=0)
        suffering = {role for _, strike in self._active.values() for role in strike.roles}
        try:
            roles = self._place.roles() if step.fault.role == "all" else [step.fault.role]
            strike = strike_of(step.fault, [role for role in roles if role not in suffering], self._place)
            if not strike.roles:
                raise LaunchError(f"{step.fault.role} suffers another fault")
            strike.begin(now_s)
        except LaunchError as error:
            self._note("end", step.name, step.fault.role, strikes=0, why=str(error))
            return
        self._active[step.name] = step, strike

    def _over(self, strike: Strike, now_s: float) -> None:
        """One that cannot be ended any more has ended."""
        try:
            strike.over(now_s)
        except LaunchError as error:
            strike.fields["why"] = str(error)
            strike.done = True

    def _note_ends(self) -> None:
        for name, (step, strike) in list(self._active.items()):
            if strike.done:
                del self._active[name]
                self._note("end", name, step.fault.role, strikes=strike.strikes, **strike.fields)
