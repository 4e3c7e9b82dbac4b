"""All faults by their name in the configuration: one line a fault."""

from typing import Any

from channel_emulator.faults.burst_loss import BurstLoss
from channel_emulator.faults.corrupt import Corrupt
from channel_emulator.faults.delay import Delay
from channel_emulator.faults.duplicate import Duplicate
from channel_emulator.faults.fault import Fault
from channel_emulator.faults.loss import Loss
from channel_emulator.faults.noop import Noop
from channel_emulator.faults.partition import Partition
from channel_emulator.faults.rate_limit import RateLimit
from channel_emulator.faults.reorder import Reorder
from channel_emulator.faults.truncate import Truncate

FAULTS: dict[str, type[Fault[Any]]] = {
    "burst_loss": BurstLoss,
    "corrupt": Corrupt,
    "delay": Delay,
    "duplicate": Duplicate,
    "loss": Loss,
    "noop": Noop,
    "partition": Partition,
    "rate_limit": RateLimit,
    "reorder": Reorder,
    "truncate": Truncate,
}
