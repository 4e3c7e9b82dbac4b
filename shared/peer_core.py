"""A peer without its transport: what it may take, its credit, what is held back, what is counted.

A UE reports the wire bytes it has taken off the link since it last said hello, after every half window; the
window is what the emulator's Welcome says. The same code serves TCP and memory.
"""

from collections import deque
from collections.abc import Callable

from shared.link_types import FULL, Outgoing, encoded, sizes_of, wire_bytes_of
from shared.meter import Meter
from shared.routing import fault_of_receiver, user_of_peer
from shared.wire.codec import Part, decode, encode
from shared.wire.damage import HeaderErrors
from shared.wire.errors import ProtocolError
from shared.wire.messages import CONTROL_MESSAGES, Credit, Hello, Message, Welcome

Transport = Callable[[Outgoing], str]
"""Takes a message, says SENT or FULL."""


class PeerCore:
    """`hub` is 'ce' on the data plane, 'agent' on the control link."""

    def __init__(
        self, me: str, incarnation: int, hub: str, meter: Meter, transport: Transport, queue_bytes: int
    ) -> None:
        self._me = me
        self._incarnation = incarnation
        self._hub = hub
        self._meter = meter
        self._transport = transport
        self._queue_bytes = queue_bytes
        self._held: deque[Outgoing] = deque()
        self._held_bytes = 0
        self._window: int | None = None
        self._consumed = 0
        self._reported = 0
        self._quiet = False

    def send(self, message: Message, header_errors: HeaderErrors | None = None) -> None:
        """See `Link.send`; there is only one place to send to."""
        outgoing = encoded(message, header_errors, self._meter.curve)
        if isinstance(message, Hello):
            self._window, self._consumed, self._reported = None, 0, 0
        if self._held_bytes + outgoing.wire > self._queue_bytes and self._held:
            self._meter.not_sent(self._hub, message, outgoing.sizes, "queue_overflow")
            return
        self._held.append(outgoing)
        self._held_bytes += outgoing.wire
        self.flush()

    def drop(self, message: Message, reason: str) -> None:
        self._meter.given_up(self._hub, message, sizes_of(encode(message)), reason)

    def copied(self, message: Message, times: int) -> None:
        self._meter.copied(self._hub, message, sizes_of(encode(message)), times)

    def disconnect(self) -> None:
        self._give_up_held("peer_gone")

    def quiesce(self) -> None:
        self._quiet = True

    def flush(self) -> None:
        while self._held:
            outgoing = self._held[0]
            self._meter.offered(self._hub, outgoing.message, outgoing.sizes, outgoing.damaged)
            if self._transport(outgoing) == FULL:
                self._meter.not_offered(self._hub, outgoing.message, outgoing.sizes, outgoing.damaged)
                return
            self._held.popleft()
            self._held_bytes -= outgoing.wire

    @property
    def blocked(self) -> bool:
        return bool(self._held)

    @property
    def pending_bytes(self) -> int:
        return self._held_bytes

    def close(self) -> None:
        self._give_up_held("closed")

    def accept(self, parts: list[Part]) -> Message | None:
        """The message that arrived, or None: then it has been counted as dropped."""
        wire = wire_bytes_of(parts, self._meter.curve)
        self._consumed += wire
        try:
            message = decode(parts)
        except ProtocolError as error:
            self._meter.unreadable(self._hub, wire, error.reason)
            self._report_credit()  # unread bytes are off the link too
            return None
        sizes = sizes_of(parts)
        fault = self._fault(message)
        if fault is not None:
            self._meter.not_taken(self._hub, message, sizes, fault)
            return None
        self._meter.delivered(self._hub, message, sizes)
        if isinstance(message, Welcome) and message.incarnation == self._incarnation:
            self._window = message.credit_bytes
        self._report_credit()
        return message

    def _fault(self, message: Message) -> str | None:
        if self._hub == "ce":
            return fault_of_receiver(self._me, message)
        return None if isinstance(message, CONTROL_MESSAGES) else "wrong_direction"

    def _report_credit(self) -> None:
        if self._quiet or self._window is None or not self._me.startswith("ue:"):
            return
        if self._consumed - self._reported >= self._window // 2:
            self._reported = self._consumed
            user = user_of_peer(self._me)
            self.send(Credit(user=user, incarnation=self._incarnation, consumed_bytes=self._consumed))

    def _give_up_held(self, reason: str) -> None:
        for outgoing in self._held:
            self._meter.not_sent(self._hub, outgoing.message, outgoing.sizes, reason)
        self._held.clear()
        self._held_bytes = 0
