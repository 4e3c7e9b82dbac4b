"""The schedule of faults on processes: what is due when. Pure: the time is an argument."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.process_fault_config import Listed


@dataclass(frozen=True, slots=True)
class Step:
    """A fault begins, or its time is over. `name`: 'kill.0', 'pause.1', ..."""

    at_s: float
    what: Literal["begin", "over"]
    name: str
    fault: Listed


class ProcessFaults:
    """What is due, in order of time; at one time what is over comes before what begins.

    A fault without `for_s` has no end here: it ends when its role is ready again, or with the run.
    """

    def __init__(self, faults: Sequence[Listed]) -> None:
        self._ordinal: Counter[str] = Counter()
        self._steps: list[Step] = []
        for fault in faults:
            self.add(fault, fault.at_s)

    def add(self, fault: Listed, at_s: float) -> str:
        """One more; its name, numbered among its namesakes."""
        name = f"{fault.fault}.{self._ordinal[fault.fault]}"
        self._ordinal[fault.fault] += 1
        self._steps.append(Step(at_s, "begin", name, fault))
        for_s = getattr(fault, "for_s", None)
        if for_s is not None:
            self._steps.append(Step(at_s + for_s, "over", name, fault))
        self._steps.sort(key=lambda step: (step.at_s, step.what == "begin"))
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
