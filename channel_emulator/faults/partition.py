"""A link that carries nothing."""

from channel_emulator.faults.fault import Fate, Fault, Passing
from shared.fault_config import PartitionConfig

_LOST = Fate(lost="partition")


class Partition(Fault[PartitionConfig]):
    """Everything it meets is lost. Sessions stay: what emulator and peers tell each other is not met."""

    def strike(self, passing: Passing) -> Fate:
        return _LOST
