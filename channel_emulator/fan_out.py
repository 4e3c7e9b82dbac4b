"""Downlink: what the base station sends, to each of its receivers by way of faults and air.

A public frame becomes one independent realisation per receiver; whatever does not reach one is a counted
drop for that one, so that per class: received x receivers = sent on + dropped.
"""

from collections import Counter
from dataclasses import replace

from channel_emulator.air import Air, Transmission, open_frame
from channel_emulator.faults.chain import FaultChain
from channel_emulator.session import BS, Session
from shared.actions import Action, Drop, Send
from shared.routing import peer_name
from shared.wire.errors import ProtocolError
from shared.wire.messages import BASE_STATION, AnswerAck, Cancel, SideInfo, SymbolFrame

ForOneUser = SideInfo | Cancel | AnswerAck


class FanOut:
    """All downlinks of a run. `users` is how many there are."""

    def __init__(
        self, users: int, session: Session, air: Air, faults: FaultChain, counts: Counter[str]
    ) -> None:
        self._users = users
        self._session = session
        self._air = air
        self._faults = faults
        self._counts = counts

    def message(self, message: ForOneUser) -> list[Action]:
        """Side information, through the air where it is coded, and control: on to their user, or a drop."""
        if isinstance(message, SideInfo):
            try:
                message = self._air.receive_side(message)
            except ProtocolError as error:
                return self.refuse(message, error.reason)
        return [self._deliver(message, message.user)]

    def frame(self, frame: SymbolFrame) -> list[Action]:
        """One frame per receiver, each with its own realisation of the air, or a drop each."""
        if not frame.users:
            return self.refuse(frame, "no_receiver")
        if frame.stream == "private" and len(frame.users) != 1:
            return self.refuse(frame, "bad_frame")
        try:
            sent = open_frame(frame)
        except ProtocolError as error:
            return self.refuse(frame, error.reason)
        actions: list[Action] = []
        served: set[int] = set()
        for user in frame.users:
            if user in served:
                actions.append(self._drop(replace(frame, users=(user,)), user, "duplicate_receiver"))
                continue
            served.add(user)
            actions.append(self._receive(sent, user))
        return actions

    def refuse(self, message: SymbolFrame | ForOneUser, reason: str) -> list[Action]:
        """A drop for each receiver the message would have had; towards the sender when it names none."""
        if not isinstance(message, SymbolFrame):
            return [self._drop(message, message.user, reason)]
        if not message.users:
            return [self._drop(message, BASE_STATION, reason)]
        return [self._drop(replace(message, users=(user,)), user, reason) for user in message.users]

    def _receive(self, sent: Transmission, user: int) -> Action:
        addressed = replace(sent.frame, users=(user,))
        reason = self._obstacle(addressed, user)
        if reason:
            return self._drop(addressed, user, reason)
        try:
            received = self._air.receive(sent, user)
        except ProtocolError as error:
            return self._drop(addressed, user, error.reason)
        self._counts["frames_down"] += 1
        self._counts["channel_uses"] += received.uses
        return Send(peer_name("ue", user), received)

    def _deliver(self, message: ForOneUser, user: int) -> Action:
        reason = self._obstacle(message, user)
        if reason:
            return self._drop(message, user, reason)
        self._counts["messages_down"] += 1
        return Send(peer_name("ue", user), message)

    def _obstacle(self, message: SymbolFrame | ForOneUser, user: int) -> str:
        """Why the message does not reach `user`'s antenna, or ''."""
        if not 0 <= user < self._users:
            return "unknown_user"
        return self._session.absence(peer_name("ue", user)) or self._faults.fate(message, user, "down").lost

    def _drop(self, message: SymbolFrame | ForOneUser, user: int, reason: str) -> Drop:
        self._counts["dropped"] += 1
        return Drop(peer_name("ue", user) if user >= 0 else BS, message, reason)
