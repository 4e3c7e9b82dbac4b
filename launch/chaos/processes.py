"""Scheduled faults on processes: which signal goes to which role when. Pure: the time is an argument."""

import math
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.process_fault_config import ProcessFaultConfig


@dataclass(frozen=True, slots=True)
class Step:
    """One signal to one role. `what`: 'begin' or 'end' of the fault `name` ('kill.0', 'pause.1', ...)."""

    at_s: float
    what: str
    name: str
    role: str
    number: int


class ProcessFaults:
    """What is due, in order of time. A kill ends by itself: when its role is ready again."""

    def __init__(self, faults: Sequence[ProcessFaultConfig]) -> None:
        self._ordinal: Counter[str] = Counter()
        self._steps: list[Step] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: ProcessFaultConfig) -> str:
        """One more; its name, numbered among its namesakes."""
        name = f"{fault.fault}.{self._ordinal[fault.fault]}"
        self._ordinal[fault.fault] += 1
        number = signal.SIGKILL if fault.fault == "kill" else signal.SIGSTOP
        self._steps.append(Step(fault.at_s, "begin", name, fault.role, number))
        if fault.for_s is not None:
            self._steps.append(Step(fault.at_s + fault.for_s, "end", name, fault.role, signal.SIGCONT))
        self._steps.sort(key=lambda step: step.at_s)
        return name

    def due(self, elapsed_s: float) -> list[Step]:
        """Steps whose time has come, once."""
        found = [step for step in self._steps if step.at_s <= elapsed_s]
        self._steps = self._steps[len(found) :]
        return found

    def next_s(self) -> float:
        """Seconds after the workload's begin of the next step; infinite without one."""
        return self._steps[0].at_s if self._steps else math.inf

    def left(self) -> list[Step]:
        """What has not come to pass, for good: nothing is due any more."""
        found, self._steps = self._steps, []
        return found
