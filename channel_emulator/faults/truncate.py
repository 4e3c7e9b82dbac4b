"""Payloads that end too early."""

from dataclasses import replace
from functools import partial

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from shared.fault_config import TruncateConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame


class Truncate(Fault[TruncateConfig]):
    """The header comes whole and still says how long the payload was."""

    def strike(self, passing: Passing) -> Fate:
        if not isinstance(passing.message, SymbolFrame | SideInfo):
            return UNHARMED
        if self.uniform(passing) >= self._config.probability:
            return UNHARMED
        return Fate(damage=partial(cut, keep=self._config.keep))


def cut(message: Message, keep: float) -> Message:
    """The message with the first part of its payload."""
    assert isinstance(message, SymbolFrame | SideInfo)
    payload = bytes(message.payload)
    return replace(message, payload=payload[: int(keep * len(payload))])
