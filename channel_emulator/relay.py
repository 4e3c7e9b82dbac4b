"""Uplink: what a user sends, on to the base station by way of the faults.

The uplink carries testbed messages, not samples: physics does not touch them.
"""

from collections import Counter

from channel_emulator.faults.chain import FaultChain
from channel_emulator.session import BS, Session
from shared.actions import Action, Drop, Send
from shared.routing import user_of_peer
from shared.wire.messages import Answer, Feedback, UplinkRequest

Uplink = Feedback | Answer | UplinkRequest


class Relay:
    """All uplinks of a run."""

    def __init__(self, session: Session, faults: FaultChain, counts: Counter[str]) -> None:
        self._session = session
        self._faults = faults
        self._counts = counts

    def message(self, message: Uplink, source: str) -> list[Action]:
        """On to the base station, or a drop: nobody speaks for another user."""
        if message.user != user_of_peer(source):
            reason = "wrong_user"
        else:
            reason = self._session.absence(BS) or self._faults.fate(message, message.user, "up").lost
        if reason:
            self._counts["dropped"] += 1
            return [Drop(BS, message, reason)]
        self._counts["messages_up"] += 1
        return [Send(BS, message)]
