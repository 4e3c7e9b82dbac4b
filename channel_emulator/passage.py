"""The last step of every message: on to its receiver now, later, several times, damaged, or a counted drop.

What is held back is bounded, and is gone before the emulator has drained.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field

from channel_emulator.faults.fault import Fate
from channel_emulator.session import Session
from shared.actions import Action, Copied, Drop, Send
from shared.wire.damage import HeaderErrors
from shared.wire.messages import Message

MAX_HELD = 8_192
MAX_HELD_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, order=True)
class _Held:
    due_s: float
    number: int
    to: str = field(compare=False)
    message: Message = field(compare=False)
    header_errors: HeaderErrors | None = field(compare=False)


class Passage:
    """To all receivers of a run."""

    def __init__(self, session: Session, counts: Counter[str]) -> None:
        self._session = session
        self._counts = counts
        self._held: list[_Held] = []
        self._held_bytes = 0
        self._numbers = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._held)

    def next_wakeup_s(self) -> float | None:
        return self._held[0].due_s if self._held else None

    def hand_on(self, message: Message, to: str, source: str, fate: Fate, now_s: float) -> list[Action]:
        """What `fate` makes of a message from `source` that is not lost."""
        if fate.damage is not None:
            message = fate.damage(message)
        actions: list[Action] = [Copied(source, message, fate.copies)] if fate.copies else []
        for _ in range(1 + fate.copies):
            if not fate.delay_s:
                actions.append(Send(to, message, fate.header))
            elif not self._hold(message, to, now_s + fate.delay_s, fate.header):
                actions.append(self.drop(message, to, "too_much_held"))
        return actions

    def drop(self, message: Message, to: str, reason: str) -> Drop:
        self._counts["dropped"] += 1
        return Drop(to, message, reason)

    def on_tick(self, now_s: float) -> list[Action]:
        """What is due, to receivers that are still there."""
        actions: list[Action] = []
        while self._held and self._held[0].due_s <= now_s:
            actions.append(self._release())
        return actions

    def give_up(self) -> list[Action]:
        """The emulator falls silent: what it still holds goes nowhere."""
        given_up: list[Action] = [self.drop(held.message, held.to, "stopped") for held in self._held]
        self._held.clear()
        self._held_bytes = 0
        return given_up

    def _hold(self, message: Message, to: str, due_s: float, header_errors: HeaderErrors | None) -> bool:
        size = _size(message)
        if len(self._held) >= MAX_HELD or self._held_bytes + size > MAX_HELD_BYTES:
            return False
        self._numbers += 1  # of equal times the first one first
        heapq.heappush(self._held, _Held(due_s, self._numbers, to, message, header_errors))
        self._held_bytes += size
        return True

    def _release(self) -> Action:
        held = heapq.heappop(self._held)
        self._held_bytes -= _size(held.message)
        reason = self._session.absence(held.to)
        if reason:
            return self.drop(held.message, held.to, reason)
        return Send(held.to, held.message, held.header_errors)


def _size(message: Message) -> int:
    return len(getattr(message, "payload", b""))
