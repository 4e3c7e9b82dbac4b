"""A fault of one's own: long messages are lost more often.

channel: {faults: [{fault: docs.examples.size_loss, per_kbyte: 0.3, at_s: 2, for_s: 3}]}
"""

from pydantic import Field

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import Aim
from shared.own_fault import FaultKind


class SizeLossConfig(Aim):
    """Each 1,000 bytes of a payload are hit with probability `per_kbyte`; one hit loses the message."""

    fault: str
    per_kbyte: float = Field(ge=0.0, le=1.0)


class SizeLoss(Fault[SizeLossConfig]):
    """Its only randomness is `self.uniform`: the same message meets the same fate in every run of a seed."""

    def strike(self, passing: Passing) -> Fate:
        kbytes = len(getattr(passing.message, "payload", b"")) / 1e3
        survives = (1.0 - self._config.per_kbyte) ** kbytes
        return Fate(lost="size_loss") if self.uniform(passing) >= survives else UNHARMED


FAULT = FaultKind(SizeLossConfig, SizeLoss)
