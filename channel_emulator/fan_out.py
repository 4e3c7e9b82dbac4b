"""Downlink: what the base station sends, to each of its receivers by way of faults and air.

A public frame becomes one independent realisation per receiver; whatever does not reach one is a counted
drop for that one, so that per class: received x receivers = sent on + dropped.
"""

from collections import Counter

from channel_emulator.air import Air, Transmission, open_frame
from channel_emulator.faults.chain import FaultChain
from channel_emulator.faults.fault import Fate
from channel_emulator.passage import Passage
from channel_emulator.session import BS, Session
from shared.actions import Action, Drop
from shared.routing import peer_name
from shared.wire.errors import ProtocolError
from shared.wire.messages import BASE_STATION, AnswerAck, Cancel, SideInfo, SymbolFrame

ForOneUser = SideInfo | Cancel | AnswerAck


class FanOut:
    """All downlinks of a run. `users` is how many there are."""

    def __init__(
        self,
        users: int,
        session: Session,
        air: Air,
        faults: FaultChain,
        passage: Passage,
        counts: Counter[str],
    ) -> None:
        self._users = users
        self._session = session
        self._air = air
        self._faults = faults
        self._passage = passage
        self._counts = counts

    def message(self, message: ForOneUser, now_s: float) -> list[Action]:
        """Side information, through the air where it is coded, and control: on to their user, or a drop."""
        try:
            on_air = isinstance(message, SideInfo) and self._air.open_side(message) is not None
            fate = self._fate(message, message.user, now_s, on_air)
            if fate.lost:
                return [self._drop(message, message.user, fate.lost)]
            if isinstance(message, SideInfo):
                message = self._air.receive_side(message, fate.air)
        except ProtocolError as error:
            return self.refuse(message, error.reason)
        self._counts["messages_down"] += 1
        return self._passage.hand_on(message, peer_name("ue", message.user), BS, fate, now_s)

    def frame(self, frame: SymbolFrame, now_s: float) -> list[Action]:
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
                actions.append(self._drop(frame.changed(users=(user,)), user, "duplicate_receiver"))
                continue
            served.add(user)
            actions += self._receive(sent, user, now_s)
        return actions

    def refuse(self, message: SymbolFrame | ForOneUser, reason: str) -> list[Action]:
        """A drop for each receiver the message would have had; towards the sender when it names none."""
        if not isinstance(message, SymbolFrame):
            return [self._drop(message, message.user, reason)]
        if not message.users:
            return [self._drop(message, BASE_STATION, reason)]
        return [self._drop(message.changed(users=(user,)), user, reason) for user in message.users]

    def _receive(self, sent: Transmission, user: int, now_s: float) -> list[Action]:
        addressed = sent.frame.changed(users=(user,))
        fate = self._fate(addressed, user, now_s, on_air=True)
        if fate.lost:
            return [self._drop(addressed, user, fate.lost)]
        try:
            received = self._air.receive(sent, user, fate.air)
        except ProtocolError as error:
            return [self._drop(addressed, user, error.reason)]
        self._counts["frames_down"] += 1
        self._counts["channel_uses"] += received.uses
        return self._passage.hand_on(received, peer_name("ue", user), BS, fate, now_s)

    def _fate(self, message: SymbolFrame | ForOneUser, user: int, now_s: float, on_air: bool) -> Fate:
        """What becomes of the message on its way to `user`'s antenna; lost where nobody is there."""
        if not 0 <= user < self._users:
            return Fate(lost="unknown_user")
        absent = self._session.absence(peer_name("ue", user))
        if absent:
            return Fate(lost=absent)
        return self._faults.fate(message, user, "down", now_s, on_air)

    def _drop(self, message: SymbolFrame | ForOneUser, user: int, reason: str) -> Drop:
        return self._passage.drop(message, peer_name("ue", user) if user >= 0 else BS, reason)
