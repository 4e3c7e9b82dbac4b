"""All faults of a run, in the order of the configuration: the first that loses a message ends its way."""

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Change:
    """A fault begins, or ends after having harmed so many messages."""

    what: str  # 'begin' or 'end'
    fault: str
    strikes: int = 0


class FaultChain:
    """The faults of a run. `strikes` counts, by fault ('loss.0', 'loss.1', ...), the messages it harmed.

    Time begins with the first message that passes.
    """

    def __init__(self, faults: tuple[FaultConfig, ...], seed: int) -> None:
        ordinal: Counter[str] = Counter()
        self._faults: dict[str, Fault[Any]] = {}
        for config in faults:
            # Numbered among its namesakes: adding a fault of another name changes no fate.
            name = f"{config.fault}.{ordinal[config.fault]}"
            ordinal[config.fault] += 1
            self._faults[name] = FAULTS[config.fault](config, derive_seed(seed, "fault", name))
        self._windows = {
            name: (c.at_s, math.inf if c.for_s is None else c.at_s + c.for_s)
            for name, c in zip(self._faults, faults, strict=True)
        }
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._zero_s: float | None = None
        self._seen: dict[tuple[int, str], OrderedDict[str, int]] = {}
        self.strikes = dict.fromkeys(self._faults, 0)

    def fate(
        self, message: Message, user: int, direction: str, now_s: float = 0.0, on_air: bool = False
    ) -> Fate:
        """What becomes of `message` on the link of `user`, 'down' or 'up': all faults one after the other.

        `on_air`: it passes the air as samples.
        """
        klass = class_of(message)
        if klass not in RELAYED or not self._faults:
            return UNHARMED
        name = identity(message)
        occurrence = self._repeats(user, direction, name)
        elapsed_s = 0.0 if self._zero_s is None else now_s - self._zero_s
        passing = Passing(user, direction, klass, name, occurrence, message, now_s, elapsed_s, on_air)
        fate = UNHARMED
        for own_name, fault in self._faults.items():
            active = own_name in self._begun and own_name not in self._ended
            struck = fault.strike(passing) if active and fault.meets(passing) else UNHARMED
            self.strikes[own_name] += struck.harmed
            fate = fate.then(struck) if struck.harmed else fate
            if fate.lost:
                break
        return fate

    def changes(self, now_s: float, first_message: bool = False) -> list[Change]:
        """Faults that have begun or ended since the last call; a first message begins the time."""
        if first_message and self._zero_s is None:
            self._zero_s = now_s
        if self._zero_s is None:
            return []
        found: list[Change] = []
        for name, (begin_s, end_s) in self._windows.items():
            if name not in self._begun and now_s - self._zero_s >= begin_s:
                self._begun.add(name)
                found.append(Change("begin", name))
            if name in self._begun and name not in self._ended and now_s - self._zero_s >= end_s:
                found.append(self._end(name))
        return found

    def close(self) -> list[Change]:
        """Nothing passes any more: the ends of all that still go on, or never began."""
        return [self._end(name) for name in self._windows if name not in self._ended]

    def next_change_s(self) -> float | None:
        """When the next one begins or ends."""
        if self._zero_s is None:
            return None
        times = [begin_s for name, (begin_s, _) in self._windows.items() if name not in self._begun]
        times += [end_s for name, (_, end_s) in self._windows.items() if name in self._begun - self._ended]
        soonest = min(times, default=math.inf)
        return None if soonest == math.inf else self._zero_s + soonest

    def _end(self, name: str) -> Change:
        self._ended.add(name)
        return Change("end", name, self.strikes[name])

    def _repeats(self, user: int, direction: str, name: str) -> int:
        """How often `name` crossed this link before; now once more."""
        seen = self._seen.setdefault((user, direction), OrderedDict())
        count = seen.pop(name, 0)
        seen[name] = count + 1
        if len(seen) > MAX_REMEMBERED:
            seen.popitem(last=False)
        return count
