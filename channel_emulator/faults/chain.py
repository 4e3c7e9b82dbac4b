"""All faults of a run, in the order of the configuration: the first that loses a message ends its way."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

from channel_emulator.faults.fault import UNHARMED, Fate, Fault, Passing
from channel_emulator.faults.memory import FaultMemory
from channel_emulator.faults.registry import fault_of
from channel_emulator.faults.schedule import Change, Schedule
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

MAX_REMEMBERED = 2_048
"""Messages per user and direction whose repeats are told apart; beyond, the oldest is forgotten.

Some 250 bytes each. A request has about nine, and they are repeated within seconds.
"""
MAX_FAULTS = 1_024
"""Of a run, injected ones included."""


class TooManyFaults(Exception):
    """One more than a run may have."""


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
    """The faults of a run. `strikes` counts, by fault ('loss.0', 'loss.1', ...), the messages it harmed.

    Time begins with the first message that passes, or where `memory` has it.
    """

    def __init__(self, faults: Iterable[FaultConfig], seed: int, memory: FaultMemory | None = None) -> None:
        memory = memory or FaultMemory()
        self._seed = seed
        self._ordinal: Counter[str] = Counter()
        self._faults: dict[str, Fault[Any]] = {}
        self._schedule = Schedule()
        self._seen: dict[tuple[int, str], OrderedDict[str, int]] = {}
        self._untold: list[Change] = []
        self._struck_before = memory.struck
        self.strikes: Counter[str] = Counter()
        for config in (*faults, *memory.injected):
            self._put_in(config)
        if memory.zero_s is not None:
            self._schedule.resume(memory.zero_s, memory.begun, memory.ended)

    @property
    def has_begun(self) -> bool:
        """Whether a message has passed."""
        return self._schedule.zero_s is not None

    def begin(self, now_s: float) -> None:
        """The first message passes."""
        self._schedule.zero_s = now_s

    def inject(self, config: FaultConfig, now_s: float) -> tuple[str, FaultConfig]:
        """One more, with `at_s` from now on (before the first message: from that on); its name, and with
        `at_s` as the run's clock has it.

        Raises `TooManyFaults`.
        """
        if len(self._faults) >= MAX_FAULTS:
            raise TooManyFaults(f"expected at most {MAX_FAULTS} faults in a run")
        zero_s = self._schedule.zero_s
        if zero_s is not None:
            config = config.model_copy(update={"at_s": now_s - zero_s + config.at_s})
        return self._put_in(config), config

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
        zero_s = self._schedule.zero_s
        elapsed_s = 0.0 if zero_s is None else now_s - zero_s
        passing = Passing(user, direction, klass, name, occurrence, message, now_s, elapsed_s, on_air)
        fate = UNHARMED
        for own_name, fault in self._faults.items():
            active = self._schedule.active(own_name)
            struck = fault.strike(passing) if active and fault.meets(passing) else UNHARMED
            if struck.harmed:
                self._count(own_name)
                fate = fate.then(struck)
            if fate.lost:
                break
        return fate

    def changes(self, now_s: float) -> list[Change]:
        """Faults that have begun, struck for the first time, or ended since the last call."""
        told, self._untold = self._untold, []
        return told + [Change(what, name, self.strikes[name]) for what, name in self._schedule.due(now_s)]

    def heal(self) -> list[Change]:
        """All that still go on, or never began, end."""
        told, self._untold = self._untold, []
        return told + [Change("end", name, self.strikes[name]) for name in self._schedule.end_all()]

    def next_change_s(self) -> float | None:
        """When the next one begins or ends."""
        return self._schedule.next_s()

    def _put_in(self, config: FaultConfig) -> str:
        # Numbered among its namesakes: adding a fault of another name changes no fate.
        kind = config.fault.rpartition(".")[2]  # of a module's name the last part
        name = f"{kind}.{self._ordinal[kind]}"
        self._ordinal[kind] += 1
        self._faults[name] = fault_of(config, derive_seed(self._seed, "fault", name))
        self._schedule.add(name, config.at_s, config.for_s)
        self.strikes[name] = 0
        return name

    def _count(self, name: str) -> None:
        self.strikes[name] += 1
        if self.strikes[name] == 1 and name not in self._struck_before:
            self._untold.append(Change("strike", name, 1))

    def _repeats(self, user: int, direction: str, name: str) -> int:
        """How often `name` crossed this link before; now once more."""
        seen = self._seen.setdefault((user, direction), OrderedDict())
        count = seen.pop(name, 0)
        seen[name] = count + 1
        if len(seen) > MAX_REMEMBERED:
            seen.popitem(last=False)
        return count
