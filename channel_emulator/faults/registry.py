"""All faults by their name in the configuration: one line a fault."""

from channel_emulator.faults.fault import Fault
from channel_emulator.faults.loss import Loss
from channel_emulator.faults.noop import Noop

FAULTS: dict[str, type[Fault]] = {
    "loss": Loss,
    "noop": Noop,
}
