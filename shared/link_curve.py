"""CURVE on a ZeroMQ socket: keys, socket options, and the ZAP handler of a hub.

The handler has no thread: it is one more socket of its hub's context (ZAP is per context, and every link has
one of its own), read whenever the hub is. Until the hub is read a handshake waits, at most HANDSHAKE_IVL.
"""

import zmq
import zmq.utils.z85

from shared.keys import ZAP_DOMAIN, AllowList, HubKeys, KeyBook, KeyPair, PeerKeys, key_names

_ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_ZAP_HWM = 1_024  # handshakes that may wait for an answer


def curve_available() -> bool:
    """Whether this machine's libzmq was built with CURVE."""
    return bool(zmq.has("curve"))


def make_key_pair() -> KeyPair:
    """A new pair, from libzmq's source of randomness."""
    public, secret = zmq.curve_keypair()
    return KeyPair(zmq.utils.z85.decode(public), zmq.utils.z85.decode(secret))


def make_key_book(users: int) -> KeyBook:
    """New pairs for all roles of a run and its agent."""
    return KeyBook({name: make_key_pair() for name in key_names(users)})


class ZapHandler:
    """Answers the context's ZAP requests by an allow-list. To be made before its socket is bound."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", allowed: AllowList) -> None:
        self._allowed = allowed
        self._socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _ZAP_HWM)
        self._socket.bind(_ZAP_ENDPOINT)

    @property
    def fd(self) -> int:
        """Readable when there may be requests; see `shared/link_socket.py` on what it promises."""
        return int(self._socket.FD)

    def serve(self) -> None:
        """Answer all requests that are there."""
        while True:
            try:
                request = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._socket.send_multipart(self._allowed.reply(request))

    def close(self) -> None:
        self._socket.close()


def secure_server(socket: "zmq.Socket[bytes]", keys: HubKeys) -> None:
    """Make a socket, not bound yet, speak CURVE only, to whom the context's ZAP handler lets in."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
    socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN.encode())
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without a handler nobody would be let in


def secure_client(socket: "zmq.Socket[bytes]", keys: PeerKeys) -> None:
    """Make a socket, not connected yet, speak CURVE only, to the holder of the hub's secret key."""
    socket.setsockopt(zmq.CURVE_SERVERKEY, keys.hub)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)


def guest_of(frame: zmq.Frame) -> str:
    """The name that the ZAP handler gave to the sender of a message, '' if none."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""
