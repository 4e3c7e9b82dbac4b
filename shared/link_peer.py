"""A peer over TCP: a DEALER socket under a `PeerCore`, and the books of its connection."""

from shared.keys import PeerKeys, tagged
from shared.ledger import Counters
from shared.link_socket import FAILURES, Received
from shared.link_tcp import TcpLink
from shared.link_types import SENT, Connection, Outgoing, wire_bytes_of
from shared.meter import Meter
from shared.peer_core import PeerCore
from shared.routing import routing_id
from shared.wire.damage import HeaderErrors
from shared.wire.framing import connection_wire_bytes
from shared.wire.messages import Message


class TcpPeer(TcpLink):
    """Base of `DataPeer` and `ControlPeer`, see `shared/link.py`."""

    _core: PeerCore

    def __init__(
        self,
        me: str,
        incarnation: int,
        hub: str,
        endpoint: str,
        counters: Counters | None,
        queue_bytes: int,
        keys: PeerKeys | None,
    ) -> None:
        meter = Meter(counters, me, curve=keys is not None)
        self._me, self._incarnation, self._hub = me, incarnation, hub
        self._identity = routing_id(me, incarnation)
        if keys is not None:
            self._identity = tagged(self._identity, keys.own.tag)
        self._connection: Connection | None = None
        self._connecting_fd = -1
        self._sent_early = 0  # given to ZeroMQ before the connection stood: goes out on it first
        super().__init__("DEALER", self._identity, meter, keys)
        self._core = PeerCore(me, incarnation, hub, meter, self._transport, queue_bytes)
        self._socket.connect(endpoint)

    @property
    def established(self) -> bool:
        """The connection stands: handshake done, not lost since."""
        self._socket.read()
        return self._connection is not None

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

    def connections(self) -> list[Connection]:
        """The connection, if it stands."""
        self._socket.read()
        return [self._connection] if self._connection is not None else []

    def _transport(self, outgoing: Outgoing) -> str:
        state = self._socket.send(outgoing.parts)
        if state == SENT and self._connection is None:
            self._sent_early += outgoing.wire
        elif state == SENT and self._connection is not None:
            self._connection.sent += outgoing.wire
        return state

    def _accept(self, received: Received) -> tuple[str, Message] | None:
        if self._connection is None:
            self._socket.read()  # the event that announced the connection is there, if not yet read
        if self._connection is not None:
            self._connection.received += wire_bytes_of(received.parts, self._meter.curve)
        message = self._core.accept(received.parts)
        return None if message is None else (self._hub, message)

    def _on_event(self, name: str, fd: int) -> None:
        if name == "connected":
            self._connecting_fd = fd
        elif name == "handshake_succeeded":
            curve = self._meter.curve
            ours = connection_wire_bytes("DEALER", self._identity, curve)
            theirs = connection_wire_bytes("ROUTER", curve=curve)
            self._meter.connection(self._hub, ours, theirs)
            sent, self._sent_early = ours + self._sent_early, 0
            self._connection = Connection(self._hub, self._incarnation, self._connecting_fd, sent, theirs)
        elif name == "disconnected":
            self._connection = None
            self.events["lost_peer"] += 1
        elif name in FAILURES:
            self._meter.unreadable(self._hub, 0, name)
