"""Books messages into counters: turns (who, what, what became of it) into ledger rows."""

from dataclasses import dataclass

from shared.accounting import Portion, portions, wire_bytes
from shared.ledger import Counters
from shared.ledger_rows import RowKey
from shared.routing import FROM_BS, FROM_UE, TO_BS, TO_UE, end_name, user_of_peer
from shared.wire.messages import Heartbeat, Message, SymbolFrame

DAMAGED = "corrupt_header"
"""The reason of a drop for a message that was put on the wire so that nobody can read it."""
_MAX_REASON = 48


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a message's two parts."""

    header: int
    payload: int


class Meter:
    """The books of one end: 'bs', 'ce', 'ue:3', or 'agent' for the agent's end of the control links.

    Data links are hops 'bs-ce' and 'ce-ue'; control links are hop 'agent', class 'agent'. Without `counters`
    nothing is counted. `curve`: the links are encrypted, which takes more bytes. Raises
    `shared.ledger.LedgerError` when the disk is full.
    """

    def __init__(self, counters: Counters | None, me: str, curve: bool = False) -> None:
        self.curve = curve
        self._counters = counters
        self._me = me
        self._end = end_name(me)

    def offered(self, to: str, message: Message, sizes: Sizes, damaged: bool = False) -> int:
        """A message is about to be handed to the transport: a kill in between leaves offered >= arrived. Its
        wire bytes.

        `damaged`: its header cannot be read, so the message is dropped here and its bytes are offered as
        what they are to the other end.
        """
        return self._offer(to, message, sizes, damaged, 1)

    def not_offered(self, to: str, message: Message, sizes: Sizes, damaged: bool = False) -> None:
        """The transport did not take it after all."""
        self._offer(to, message, sizes, damaged, -1)

    def delivered(self, source: str, message: Message, sizes: Sizes) -> int:
        """A message arrived, valid. Its wire bytes. At the emulator a public frame's fan-out counts too."""
        hop, direction = self._hop(source), self._receiving(source)
        wire = self._book(hop, direction, "delivered", "", message, sizes)
        copies = len(message.users) - 1 if isinstance(message, SymbolFrame) and self._me == "ce" else 0
        if copies > 0:
            self._book(hop, direction, "duplicated", "", message, sizes, copies)
        return wire

    def copied(self, source: str, message: Message, sizes: Sizes, times: int) -> None:
        """A message that was delivered was made into so many more."""
        self._book(self._hop(source), self._receiving(source), "duplicated", "", message, sizes, times)

    def not_sent(self, to: str, message: Message, sizes: Sizes, reason: str) -> None:
        """A message to `to` is given up before the transport has it; it counts for that receiver alone."""
        self._book(self._hop(to), self._sending(to), "dropped", reason, message, sizes, only=to)

    def not_taken(self, source: str, message: Message, sizes: Sizes, reason: str) -> None:
        """A message arrived and can be read, but is refused."""
        self._book(self._hop(source), self._receiving(source), "dropped", reason, message, sizes)

    def given_up(self, peer: str, message: Message, sizes: Sizes, reason: str) -> None:
        """A role's `Drop`: of a message on its way to `peer`, or, by its kind, of one that came from there.

        The latter was booked as delivered when the link handed it over; that is taken back.
        """
        if isinstance(message, self._kinds_to(peer)) and not isinstance(message, Heartbeat):
            self.not_sent(peer, message, sizes, reason)
            return
        self._book(self._hop(peer), self._receiving(peer), "delivered", "", message, sizes, -1)
        self.not_taken(peer, message, sizes, reason)

    def unreadable(self, source: str | None, n_bytes: int, reason: str, frames: int = 1) -> None:
        """Bytes arrived that are no message; `source` None when nobody known sent them."""
        hop = self._hop(source or "")
        user = user_of_peer(source) if source else -1
        direction = self._receiving(source or "ue:")
        key = RowKey(
            hop,
            self._end,
            str(user) if user >= 0 else "",
            direction,
            "unknown",
            "first",
            "dropped",
            reason[:_MAX_REASON],
        )
        self._put(key, frames, 0, 0, n_bytes)

    def connection(self, peer: str, sent: int, received: int) -> None:
        """Greeting and handshake of a connection that came about, in wire bytes each way; no frames."""
        user = user_of_peer(self._me if self._me.startswith("ue:") else peer)
        users = str(user) if user >= 0 and self._hop(peer) == "ce-ue" else ""
        klass = "agent" if self._hop(peer) == "agent" else "session"
        for direction, outcome, n in (
            (self._sending(peer), "offered", sent),
            (self._receiving(peer), "delivered", received),
        ):
            key = RowKey(self._hop(peer), self._end, users, direction, klass, "first", outcome, "")
            self._put(key, 0, 0, 0, n)

    def _offer(self, to: str, message: Message, sizes: Sizes, damaged: bool, times: int) -> int:
        hop, direction = self._hop(to), self._sending(to)
        if not damaged:
            return self._book(hop, direction, "offered", "", message, sizes, times)
        wire = self._book(hop, direction, "dropped", DAMAGED, message, sizes, times, only=to)
        user = user_of_peer(to)
        users = str(user) if user >= 0 else ""
        key = RowKey(hop, self._end, users, direction, "unknown", "first", "offered")
        self._put(key, times, 0, 0, times * wire)
        return wire

    def _book(
        self,
        hop: str,
        direction: str,
        outcome: str,
        reason: str,
        message: Message,
        sizes: Sizes,
        times: int = 1,
        only: str = "",
    ) -> int:
        for portion in portions(message, sizes.header, sizes.payload, self.curve):
            users = portion.users
            if only.startswith("ue:") and portion.klass != "agent":
                users = str(user_of_peer(only))
            self._add(
                RowKey(
                    hop,
                    self._end,
                    users,
                    direction,
                    portion.klass,
                    portion.purpose,
                    outcome,
                    reason[:_MAX_REASON],
                ),
                portion,
                times,
            )
        return wire_bytes(message, sizes.header, sizes.payload, self.curve)

    def _add(self, key: RowKey, portion: Portion, times: int) -> None:
        self._put(
            key,
            portion.frames * times,
            portion.payload_bytes * times,
            portion.header_bytes * times,
            portion.wire_bytes * times,
            portion.uses * times,
            portion.energy * times,
        )

    def _put(
        self,
        key: RowKey,
        frames: int,
        payload: int,
        header: int,
        wire: int,
        uses: int = 0,
        energy: float = 0.0,
    ) -> None:
        if self._counters is not None:
            self._counters.add(key, frames, payload, header, wire, uses, energy)

    def _kinds_to(self, peer: str) -> tuple[type[Message], ...]:
        if self._me == "ce":
            return TO_BS if peer == "bs" else TO_UE
        return FROM_BS if self._me == "bs" else FROM_UE

    def _hop(self, other: str) -> str:
        """A stranger at the emulator is booked on 'ce-ue'."""
        if "agent" in (self._me, other):
            return "agent"
        return "bs-ce" if self._me == "bs" or (self._me == "ce" and other == "bs") else "ce-ue"

    def _sending(self, to: str) -> str:
        """'down' is away from the base station, and from the agent."""
        if self._hop(to) == "agent":
            return "down" if self._me == "agent" else "up"
        return "down" if self._me == "bs" or (self._me == "ce" and to != "bs") else "up"

    def _receiving(self, source: str) -> str:
        if self._hop(source) == "agent":
            return "up" if self._me == "agent" else "down"
        return "up" if self._me == "bs" or (self._me == "ce" and source != "bs") else "down"
