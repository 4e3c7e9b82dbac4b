"""Uplink: what a user sends, on to the base station by way of the faults.

The uplink carries testbed messages, not samples: physics does not touch them.
"""

from collections import Counter

from channel_emulator.faults.chain import FaultChain
from channel_emulator.passage import Passage
from channel_emulator.session import BS, Session
from shared.actions import Action
from shared.routing import user_of_peer
from shared.wire.messages import Answer, Feedback, UplinkRequest

Uplink = Feedback | Answer | UplinkRequest


class Relay:
    """All uplinks of a run."""

    def __init__(self, session: Session, faults: FaultChain, passage: Passage, counts: Counter[str]) -> None:
        self._session = session
        self._faults = faults
        self._passage = passage
        self._counts = counts

    def message(self, message: Uplink, source: str, now_s: float) -> list[Action]:
        """On to the base station, or a drop: nobody speaks for another user."""
        if message.user != user_of_peer(source):
            return [self._passage.drop(message, BS, "wrong_user")]
        absent = self._session.absence(BS)
        if absent:
            return [self._passage.drop(message, BS, absent)]
        fate = self._faults.fate(message, message.user, "up", now_s)
        if fate.lost:
            return [self._passage.drop(message, BS, fate.lost)]
        self._counts["messages_up"] += 1
        return self._passage.hand_on(message, BS, source, fate, now_s)
