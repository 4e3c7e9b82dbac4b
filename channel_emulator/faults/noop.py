"""The fault that does nothing: copy this file to write another.

1. Write a model of its parameters, units in their names, in `shared/fault_config.py`, and add it to the union
   at the end of that file.
2. Name the class and say in its docstring what goes wrong. Implement `strike`: it is called for each message
   that the configuration aims at (direction, classes, users), once per receiver. Draw random numbers by
   `self.uniform(passing)` or from `self.words(passing)` only, and keep state by `passing.link` at most, and
   the fault repeats under the same seed whatever other users do. Return `UNHARMED`, or a `Fate`: lost (the
   reason under which the ledger counts the drop), later, several times, or damaged. A fault of the air
   derives from `AirFault` (see `deep_fade.py`) and says what samples meet.
3. Add one line to `registry.py`.
"""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import NoopConfig


class Noop(Fault[NoopConfig]):
    """Nothing goes wrong."""

    def strike(self, passing: Passing) -> Fate:
        return UNHARMED
