"""The process of the channel emulator. It loads no model code: it must start fast and stay small."""

from channel_emulator.faults.memory import FaultMemory, remember
from channel_emulator.role import ChannelEmulator
from shared.process import run_process
from shared.spec import RoleSpec


def main(spec: RoleSpec) -> int:
    """Bind the data plane, report its endpoint by `Ready`, be the air until told to stop; the exit code."""
    return run_process(spec, lambda spec: ChannelEmulator(spec, _memory(spec)))


def _memory(spec: RoleSpec) -> FaultMemory:
    """What an earlier incarnation left, if there was one."""
    if not spec.incarnation or not spec.journal_path.exists():
        return FaultMemory()
    with spec.journal_path.open("rb") as journal:
        return remember(journal)
