"""One ZeroMQ socket, its monitor and its inbox: what all links over TCP have in common.

With `shared/link_curve.py` the only module that imports zmq; `shared/link.py` is its only user. ZMQ_FD is
edge-triggered in spirit: it tells of news once, and any call on the socket may use the news up. So the socket
is read until it has nothing (or the inbox is full) after every call.
"""

import asyncio
import struct
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from shared.keys import AllowList, HubKeys, PeerKeys
from shared.link_curve import ZapHandler, guest_of, secure_client, secure_server
from shared.link_types import FULL, GONE, SENT
from shared.wire.codec import Part
from shared.wire.fields import MAX_PAYLOAD_BYTES
from shared.wire.framing import CURVE_PART_OVERHEAD

ZERO_COPY_ABOVE = 65_536
_INBOX_MESSAGES = 1_024
_SEND_HWM = 4_096  # messages per peer: it bites late; users are bounded by credit, see `shared/hub_core.py`
_RECEIVE_HWM = 1_024
_HANDSHAKE_MS = 10_000
_EVENT = struct.Struct("=Hi")
_EVENTS = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
EVENT_NAMES = {
    int(zmq.EVENT_ACCEPTED): "accepted",
    int(zmq.EVENT_CONNECTED): "connected",
    int(zmq.EVENT_DISCONNECTED): "disconnected",
    int(zmq.EVENT_HANDSHAKE_SUCCEEDED): "handshake_succeeded",
    int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): "handshake_failed",
    int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL): "handshake_failed_protocol",
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): "unknown_key",  # what the ZAP handler refuses
}
_PROTOCOL_FAILURES = {
    int(zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "wrong_mechanism",  # NULL where CURVE is spoken, or so
    int(zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "bad_crypto",  # a box that the keys do not open
    int(zmq.PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE): "replayed",  # a CURVE nonce that has been there
}
"""Names for HANDSHAKE_FAILED_PROTOCOL, which libzmq also says of bytes after the handshake."""
FAILURES = frozenset(
    {"handshake_failed", "handshake_failed_protocol", "unknown_key", *_PROTOCOL_FAILURES.values()}
)
"""Events that say why a connection is not, or no longer, one of ours."""


@dataclass(frozen=True, slots=True)
class Received:
    """A multipart message as it came; `fd` is the descriptor of its TCP connection in this process, or -1.

    `guest`: the name of the role whose key the connection has; '' without CURVE.
    """

    parts: list[Part]
    fd: int
    guest: str


class LinkSocket:
    """A ROUTER (no `identity`) or a DEALER. `on_event(name, fd)` is told of connections; see EVENT_NAMES.

    With `keys` it speaks CURVE only.
    """

    def __init__(
        self,
        kind: str,
        identity: bytes,
        on_event: Callable[[str, int], None],
        keys: HubKeys | PeerKeys | None = None,
    ) -> None:
        self.events: Counter[str] = Counter()
        self._on_event = on_event
        self._context = zmq.Context(io_threads=1)
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER if kind == "ROUTER" else zmq.DEALER)
        options = {
            zmq.MAXMSGSIZE: MAX_PAYLOAD_BYTES + (0 if keys is None else CURVE_PART_OVERHEAD),
            zmq.LINGER: 1_000,
            zmq.SNDHWM: _SEND_HWM,
            zmq.RCVHWM: _RECEIVE_HWM,
            zmq.HANDSHAKE_IVL: _HANDSHAKE_MS,
            zmq.HEARTBEAT_IVL: 0,  # liveness is messages of our own
            zmq.RECONNECT_IVL: 50,
            zmq.RECONNECT_IVL_MAX: 1_000,
        }
        if kind == "ROUTER":
            options |= {zmq.ROUTER_MANDATORY: 1, zmq.ROUTER_HANDOVER: 1}
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        if identity:
            self._socket.setsockopt(zmq.IDENTITY, identity)
        self._zap: ZapHandler | None = None
        if isinstance(keys, HubKeys):
            self._zap = ZapHandler(self._context, AllowList(keys.guests))
            secure_server(self._socket, keys)
        elif keys is not None:
            secure_client(self._socket, keys)
        self._socket.copy_threshold = ZERO_COPY_ABOVE
        self._monitor: zmq.Socket[bytes] = self._socket.get_monitor_socket(int(_EVENTS))
        self._inbox: deque[Received] = deque()
        self._wake: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self, host: str, port: int = 0) -> int:
        """Listen on a TCP port of `host`, 0: a free one; the port. Raises `OSError`."""
        try:
            self._socket.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:
            self.close(0)
            raise OSError(
                error.errno, f"tcp://{host}:{port}: cannot listen there ({error.strerror})"
            ) from None
        return int(self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])

    def connect(self, endpoint: str) -> None:
        """Connect, now or when somebody listens there. Raises `OSError` for a malformed endpoint."""
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close(0)
            raise OSError(error.errno, f"{endpoint}: cannot connect ({error.strerror})") from None

    def send(self, parts: list[Part]) -> str:
        """SENT, FULL or GONE (ROUTER: nobody has this routing id); then reads what has arrived."""
        large = any(len(part) > ZERO_COPY_ABOVE for part in parts)  # zero-copy costs more than a small copy
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=not large)
            state = SENT
        except zmq.Again:
            state = FULL
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            state = GONE
        self.read()
        if self._inbox and self._wake is not None:
            self._wake()
        return state

    def read(self) -> None:
        """Take events and messages into the inbox, until there are none or it is full."""
        if self._zap is not None:
            self._zap.serve()
        self._read_events()
        while len(self._inbox) < _INBOX_MESSAGES:
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            parts = [f.buffer if len(f) > ZERO_COPY_ABOVE else f.bytes for f in frames]
            guest = "" if self._zap is None else guest_of(frames[-1])
            self._inbox.append(Received(parts, _descriptor_of(frames[-1]), guest))

    def take(self) -> Received | None:
        """The next message, None when there is none."""
        if not self._inbox:
            self.read()
        return self._inbox.popleft() if self._inbox else None

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` in the running event loop when there is news; None: no more."""
        if self._loop is not None:
            for fd in self._descriptors():
                self._loop.remove_reader(fd)
            self._loop = None
        self._wake = wake
        if wake is not None:
            self._loop = asyncio.get_running_loop()
            for fd in self._descriptors():
                self._loop.add_reader(fd, wake)
            self.read()  # what was there before counts as news
            wake()

    @property
    def closed(self) -> bool:
        return self._socket.closed

    def close(self, linger_ms: int) -> None:
        """Close; waits for at most `linger_ms` until what was sent has left."""
        if self._socket.closed:
            return
        self.set_waker(None)
        self.read()
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=linger_ms)
        if self._zap is not None:
            self._zap.close()
        self._context.term()

    def _descriptors(self) -> list[int]:
        found = [int(self._socket.FD), int(self._monitor.FD)]
        return found if self._zap is None else [*found, self._zap.fd]

    def _read_events(self) -> None:
        while True:
            try:
                head, _endpoint = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            number, fd = _EVENT.unpack(head)
            name = EVENT_NAMES.get(number)
            if name == "handshake_failed_protocol":  # then `fd` is what was wrong
                name = _PROTOCOL_FAILURES.get(fd, name)
            if name is not None:
                self.events[name] += 1
                self._on_event(name, fd)


def _descriptor_of(frame: zmq.Frame) -> int:
    """-1 for a peer of ZMTP 1.0 or 2.0, whose messages have no metadata: none of ours."""
    try:
        return int(frame.get(zmq.SRCFD))
    except zmq.ZMQError:
        return -1
