"""All faults by their name in the configuration: one line a fault."""

from typing import Any

from channel_emulator.faults.burst_loss import BurstLoss
from channel_emulator.faults.clipping import Clipping
from channel_emulator.faults.corrupt import Corrupt
from channel_emulator.faults.corrupt_header import CorruptHeader
from channel_emulator.faults.deep_fade import DeepFade
from channel_emulator.faults.delay import Delay
from channel_emulator.faults.duplicate import Duplicate
from channel_emulator.faults.fault import Fault
from channel_emulator.faults.jammer import Jammer
from channel_emulator.faults.loss import Loss
from channel_emulator.faults.noop import Noop
from channel_emulator.faults.partition import Partition
from channel_emulator.faults.rate_limit import RateLimit
from channel_emulator.faults.reorder import Reorder
from channel_emulator.faults.snr_drop import SnrDrop
from channel_emulator.faults.stale_csi import StaleCsi
from channel_emulator.faults.truncate import Truncate
from shared.fault_config import FaultConfig, OwnFaultConfig

FAULTS: dict[str, type[Fault[Any]]] = {
    "burst_loss": BurstLoss,
    "clipping": Clipping,
    "corrupt": Corrupt,
    "corrupt_header": CorruptHeader,
    "deep_fade": DeepFade,
    "delay": Delay,
    "duplicate": Duplicate,
    "jammer": Jammer,
    "loss": Loss,
    "noop": Noop,
    "partition": Partition,
    "rate_limit": RateLimit,
    "reorder": Reorder,
    "snr_drop": SnrDrop,
    "stale_csi": StaleCsi,
    "truncate": Truncate,
}


def fault_of(config: FaultConfig, seed: int) -> Fault[Any]:
    """The fault of a configuration: one of these, or its module's."""
    if isinstance(config, OwnFaultConfig):
        kind, settings = config.of_its_module()
        fault: Fault[Any] = kind.make(settings, seed)
        return fault
    return FAULTS[config.fault](config, seed)
