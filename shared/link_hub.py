"""A hub over TCP: a ROUTER socket under a `HubCore`, and the books of its connections."""

from shared.hub_core import HubCore
from shared.keys import AllowList, HubKeys
from shared.ledger import Counters
from shared.link_socket import FAILURES, Received
from shared.link_tcp import TcpLink
from shared.link_types import SENT, Connection, Outgoing, wire_bytes_of
from shared.meter import Meter
from shared.routing import parse_routing_id, peer_of_end
from shared.wire.damage import HeaderErrors
from shared.wire.framing import connection_wire_bytes
from shared.wire.messages import Message


class TcpHub(TcpLink):
    """Base of `DataHub` and `ControlHub`, see `shared/link.py`."""

    _core: HubCore

    def __init__(
        self,
        me: str,
        counters: Counters | None,
        host: str,
        bind_host: str | None,
        credit_bytes: int | None,
        queue_bytes: int,
        port: int = 0,
        keys: HubKeys | None = None,
    ) -> None:
        meter = Meter(counters, me, curve=keys is not None)
        super().__init__("ROUTER", b"", meter, keys)
        self._allowed = None if keys is None else AllowList(keys.guests)
        self._core = HubCore(meter, self._transport, credit_bytes, queue_bytes, control=me == "agent")
        self._by_fd: dict[int, tuple[bytes, Connection]] = {}
        self._by_id: dict[bytes, Connection] = {}
        self._fresh: set[int] = set()  # descriptors of connections that have not spoken yet
        self._failing = False  # an event has just said why the connection that it is about will be lost
        self._refused = 0  # connections of unknown keys whose loss has not been seen yet
        self.endpoint = f"tcp://{host}:{self._socket.bind(bind_host or host, port)}"

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

    def connections(self) -> list[Connection]:
        """Open connections that have spoken."""
        self._socket.read()
        return [connection for _, connection in self._by_fd.values() if connection.open]

    def _transport(self, identity: bytes, outgoing: Outgoing) -> str:
        state = self._socket.send([self._address(identity), *outgoing.parts])
        if state == SENT and identity in self._by_id:
            self._by_id[identity].sent += outgoing.wire
        return state

    def _address(self, identity: bytes) -> bytes:
        """The ROUTER's name for a connection."""
        return identity if self._allowed is None else self._allowed.address(identity)

    def _accept(self, received: Received) -> tuple[str, Message] | None:
        parts, fd = received.parts, received.fd
        identity: bytes | None = bytes(parts[0])
        if self._allowed is not None:
            identity = self._allowed.admitted(bytes(parts[0]), received.guest)
        if identity is None:  # a guest, but not the one it says: on no connection that is in the books
            self._fresh.discard(fd)
            self._meter.unreadable(peer_of_end(received.guest), 0, "wrong_user_id")
            return None
        if fd < 0:
            return self._core.accept(b"", parts[1:])  # not of this protocol's age: whatever it calls itself
        if fd not in self._by_fd or self._by_fd[fd][0] != identity:
            self._socket.read()  # the event that announced this connection is there, if not yet read
        if fd in self._fresh or fd not in self._by_fd:
            self._spoke_first(fd, identity)
        if fd in self._by_fd:
            self._by_fd[fd][1].received += wire_bytes_of(parts[1:], self._meter.curve)
        return self._core.accept(identity, parts[1:])

    def _spoke_first(self, fd: int, identity: bytes) -> None:
        """A connection's first message says whose it is: book its greeting and READY."""
        self._fresh.discard(fd)
        known = parse_routing_id(identity)
        if known is None:
            return
        peer, incarnation = known
        curve = self._meter.curve
        ours = connection_wire_bytes("ROUTER", curve=curve)
        theirs = connection_wire_bytes("DEALER", self._address(identity), curve)
        self._meter.connection(peer, ours, theirs)
        if identity in self._by_id:
            self._core.reconnected(peer)
        connection = Connection(peer, incarnation, fd, ours, theirs)
        self._by_fd[fd] = (identity, connection)
        self._by_id[identity] = connection

    def _on_event(self, name: str, fd: int) -> None:
        told, self._failing = self._failing, False
        if name == "accepted":
            self._fresh.add(fd)
            self._by_fd.pop(fd, None)
        elif name in FAILURES:
            self._meter.unreadable(None, 0, name)
            if name == "unknown_key":  # the client is told, and closes
                self._refused += 1
            else:
                self._failing = True
        elif name == "disconnected":
            self._on_lost(fd, told)

    def _on_lost(self, fd: int, told: bool) -> None:
        """A connection is gone; `told`: the event before has said why, and has been counted."""
        if fd in self._fresh:
            # Whoever it was left without a word, or sent what ZeroMQ would not have (too large, not ZMTP).
            self._fresh.discard(fd)
            self.events["lost_stranger"] += 1
            if not told and self._refused:
                self._refused -= 1
            elif not told:
                self._meter.unreadable(None, 0, "never_spoke")
        elif fd in self._by_fd:
            self._by_fd[fd][1].open = False
            self.events["lost_peer"] += 1
