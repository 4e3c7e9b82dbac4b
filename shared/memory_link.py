"""The links in memory: same interface, same bytes, same books as over TCP; for worlds of one process.

Every message goes through encode and decode. Delivery is immediate and in order, without threads or clocks:
a message sent lies in the receiver's inbox until `receive_nowait`. There is no TCP connection, so neither
greeting nor READY is booked, and `connections` is empty.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.hub_core import HubCore
from shared.ledger import Counters
from shared.link_types import (
    DEFAULT_CREDIT_BYTES,
    DEFAULT_QUEUE_BYTES,
    FULL,
    GONE,
    SENT,
    Connection,
    Outgoing,
)
from shared.meter import Meter
from shared.peer_core import PeerCore
from shared.routing import routing_id
from shared.wire.codec import Part
from shared.wire.damage import HeaderErrors
from shared.wire.messages import Message

_INBOX_MESSAGES = 65_536


@dataclass(slots=True)
class _Inbox:
    """What has arrived and has not been taken, with the sender's routing id at the hub."""

    waiting: deque[tuple[bytes, list[Part]]] = field(default_factory=deque)
    wake: Callable[[], None] | None = None

    def put(self, identity: bytes, parts: list[Part]) -> str:
        if len(self.waiting) >= _INBOX_MESSAGES:
            return FULL
        self.waiting.append((identity, [bytes(part) for part in parts]))
        if self.wake is not None:
            self.wake()
        return SENT


class _MemoryLink:
    _core: HubCore | PeerCore

    def __init__(self) -> None:
        self.inbox = _Inbox()
        self.closed = False

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """See `Link.set_waker`; `wake` is called by whoever sends."""
        self.inbox.wake = wake

    def next_flush_s(self) -> float | None:
        """See `Link.next_flush_s`."""
        return 0.0 if self._core.blocked else None

    def flush(self) -> None:
        """See `Link.flush`."""
        self._core.flush()

    def connections(self) -> list[Connection]:
        """None: nothing here is a TCP connection."""
        return []

    @property
    def pending_bytes(self) -> int:
        """Wire bytes held back."""
        return self._core.pending_bytes


class MemoryHub(_MemoryLink):
    """The emulator's end (`me` 'ce'), or an agent's (`me` 'agent': no credit)."""

    _core: HubCore

    def __init__(
        self,
        counters: Counters | None = None,
        credit_bytes: int | None = DEFAULT_CREDIT_BYTES,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        me: str = "ce",
    ) -> None:
        super().__init__()
        self.me = me
        credit_bytes = None if me == "agent" else credit_bytes
        self._core = HubCore(Meter(counters, me), self._to_peer, credit_bytes, queue_bytes, me == "agent")
        self._peers: dict[bytes, _Inbox] = {}

    def send(self, to: str, message: Message, header_errors: HeaderErrors | None = None) -> None:
        """See `Link.send`."""
        self._core.send(to, message, header_errors)

    def drop(self, to: str, message: Message, reason: str) -> None:
        """See `Link.drop`."""
        self._core.drop(to, message, reason)

    def copied(self, source: str, message: Message, times: int) -> None:
        """See `Link.copied`."""
        self._core.copied(source, message, times)

    def disconnect(self, to: str) -> None:
        """See `Link.disconnect`."""
        self._core.disconnect(to)

    def quiesce(self) -> None:
        """A hub sends nothing of its own accord."""

    def receive_nowait(self) -> tuple[str, Message] | None:
        """See `Link.receive_nowait`."""
        while self.inbox.waiting:
            identity, parts = self.inbox.waiting.popleft()
            found = self._core.accept(identity, parts)
            if found is not None:
                return found
        return None

    def close(self, linger_ms: int = 1_000) -> None:
        """Held-back messages are dropped, 'closed'."""
        if not self.closed:
            self.closed = True
            self._core.close()

    def plug(self, identity: bytes, inbox: _Inbox) -> None:
        """A peer connects (its constructor calls this)."""
        self._peers[identity] = inbox

    def unplug(self, identity: bytes) -> None:
        """A peer's connection ends; what lies in its inbox is lost with it."""
        self._peers.pop(identity, None)

    def _to_peer(self, identity: bytes, outgoing: Outgoing) -> str:
        inbox = self._peers.get(identity)
        return GONE if inbox is None else inbox.put(identity, outgoing.parts)


class MemoryPeer(_MemoryLink):
    """The other end: connects to `hub` when made, until `close`."""

    _core: PeerCore

    def __init__(
        self,
        hub: MemoryHub,
        me: str,
        incarnation: int,
        counters: Counters | None = None,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
    ) -> None:
        super().__init__()
        self._hub = hub
        self._identity = routing_id(me, incarnation)
        self._core = PeerCore(me, incarnation, hub.me, Meter(counters, me), self._to_hub, queue_bytes)
        hub.plug(self._identity, self.inbox)

    def send(self, to: str, message: Message, header_errors: HeaderErrors | None = None) -> None:
        """See `Link.send`; `to` is the hub, there is no other."""
        self._core.send(message, header_errors)

    def drop(self, to: str, message: Message, reason: str) -> None:
        """See `Link.drop`."""
        self._core.drop(message, reason)

    def copied(self, source: str, message: Message, times: int) -> None:
        """See `Link.copied`."""
        self._core.copied(message, times)

    def disconnect(self, to: str) -> None:
        """See `Link.disconnect`."""
        self._core.disconnect()

    def quiesce(self) -> None:
        """No more credit reports."""
        self._core.quiesce()

    def receive_nowait(self) -> tuple[str, Message] | None:
        """See `Link.receive_nowait`."""
        while self.inbox.waiting:
            message = self._core.accept(self.inbox.waiting.popleft()[1])
            if message is not None:
                return self._hub.me, message
        return None

    def close(self, linger_ms: int = 1_000) -> None:
        """Unplug. What has been sent to the hub arrives; what lies in this inbox is lost."""
        if not self.closed:
            self.closed = True
            self._core.close()
            self._hub.unplug(self._identity)

    def _to_hub(self, outgoing: Outgoing) -> str:
        return self._hub.inbox.put(self._identity, outgoing.parts)
