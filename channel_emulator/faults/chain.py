"""All faults of a run, in the order of the configuration: the first that loses a message ends its way."""

from collections import Counter, OrderedDict
from typing import Any

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from channel_emulator.faults.registry import FAULTS
from shared.accounting import RELAYED, class_of
from shared.fault_config import FaultConfig
from shared.rng import derive_seed
from shared.wire.messages import (
    Answer,
    AnswerAck,
    Cancel,
    Feedback,
    Message,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
)

MAX_REMEMBERED = 8_192
"""Messages per user and direction whose repeats are told apart; beyond, the oldest is forgotten."""


def identity(message: Message) -> str:
    """What makes a message that very message; its repeats have the same."""
    match message:
        case SymbolFrame():
            parts: tuple[object, ...] = (message.group_id, message.frame_id, message.attempt)
        case SideInfo() | Feedback() | Answer():
            parts = (message.request_id, message.attempt)
        case Cancel() | AnswerAck():
            parts = (message.request_id,)
        case UplinkRequest():
            parts = (message.client_id,)
        case _:
            parts = ()
    return ":".join((message.KIND, *map(str, parts)))


class FaultChain:
    """The faults of a run. `strikes` counts, by fault ('loss.0', 'loss.1', ...), the messages it harmed."""

    def __init__(self, faults: tuple[FaultConfig, ...], seed: int) -> None:
        ordinal: Counter[str] = Counter()
        self._faults: dict[str, Fault[Any]] = {}
        for config in faults:
            # Numbered among its namesakes: adding a fault of another name changes no fate.
            name = f"{config.fault}.{ordinal[config.fault]}"
            ordinal[config.fault] += 1
            self._faults[name] = FAULTS[config.fault](config, derive_seed(seed, "fault", name))
        self._seen: dict[tuple[int, str], OrderedDict[str, int]] = {}
        self.strikes = dict.fromkeys(self._faults, 0)

    def fate(self, message: Message, user: int, direction: str, now_s: float = 0.0) -> Fate:
        """What becomes of `message` on the link of `user`, 'down' or 'up': all faults one after the other."""
        klass = class_of(message)
        if klass not in RELAYED or not self._faults:
            return UNHARMED
        name = identity(message)
        occurrence = self._repeats(user, direction, name)
        passing = Passing(user, direction, klass, name, occurrence, message, now_s)
        fate = UNHARMED
        for own_name, fault in self._faults.items():
            struck = fault.strike(passing) if fault.meets(passing) else UNHARMED
            self.strikes[own_name] += struck.harmed
            fate = fate.then(struck) if struck.harmed else fate
            if fate.lost:
                break
        return fate

    def _repeats(self, user: int, direction: str, name: str) -> int:
        """How often `name` crossed this link before; now once more."""
        seen = self._seen.setdefault((user, direction), OrderedDict())
        count = seen.pop(name, 0)
        seen[name] = count + 1
        if len(seen) > MAX_REMEMBERED:
            seen.popitem(last=False)
        return count
