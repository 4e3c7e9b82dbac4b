"""The fault that does nothing: copy this file to write another.

1. Name the class and say in its docstring what goes wrong, and by which keys of `FaultConfig`.
2. Implement `strike`: it is called for each message that the configuration aims at (direction, classes,
   users), once per receiver. Draw random numbers by `self.uniform(passing)` only, keep no state, and the
   fault repeats exactly under the same seed. Return `UNHARMED`, or a `Fate` whose `lost` is the reason
   under which the ledger counts the drop.
3. Add one line to `registry.py` and the name to `FaultConfig.fault` in `shared/config.py`.
"""

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing


class Noop(Fault):
    """Nothing goes wrong."""

    def strike(self, passing: Passing) -> Fate:
        return UNHARMED
