"""What hubs and peers over TCP have in common: the socket, waiting for it, trying again when it was full."""

import asyncio
from collections import Counter
from collections.abc import Callable

from shared.hub_core import HubCore
from shared.keys import HubKeys, PeerKeys
from shared.link_socket import LinkSocket, Received
from shared.meter import Meter
from shared.peer_core import PeerCore
from shared.wire.messages import Message

_FLUSH_S = 0.02
_YIELD_EVERY = 32  # messages that `receive` gives before it lets the event loop run


class TcpLink:
    """Base of `TcpHub` and `TcpPeer`."""

    _core: HubCore | PeerCore

    def __init__(self, kind: str, identity: bytes, meter: Meter, keys: HubKeys | PeerKeys | None) -> None:
        self._meter = meter
        self._given = 0
        self._socket = LinkSocket(kind, identity, self._on_event, keys)

    @property
    def events(self) -> Counter[str]:
        """Connection events so far by name: accepted, connected, disconnected, handshake_succeeded,
        lost_stranger, lost_peer, and `shared.link_socket.FAILURES`."""
        return self._socket.events

    @property
    def pending_bytes(self) -> int:
        """Wire bytes held back for want of credit or room."""
        return self._core.pending_bytes

    def receive_nowait(self) -> tuple[str, Message] | None:
        """See `Link.receive_nowait`."""
        while (received := self._socket.take()) is not None:
            found = self._accept(received)
            if found is not None:
                return found
        return None

    async def receive(self) -> tuple[str, Message]:
        """(source, message), when there is one. For one waiting task at a time; not with `set_waker`."""
        self._given += 1
        if self._given % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
        found = self.receive_nowait()
        if found is not None:
            return found
        news = asyncio.Event()
        self._socket.set_waker(news.set)
        try:
            while True:
                found = self.receive_nowait()
                if found is not None:
                    return found
                news.clear()
                try:
                    async with asyncio.timeout(self.next_flush_s()):
                        await news.wait()
                except TimeoutError:
                    self.flush()
        finally:
            if not self._socket.closed:
                self._socket.set_waker(None)

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """See `Link.set_waker`."""
        self._socket.set_waker(wake)

    def next_flush_s(self) -> float | None:
        return _FLUSH_S if self._core.blocked else None

    def flush(self) -> None:
        self._core.flush()

    def close(self, linger_ms: int = 1_000) -> None:
        """Close; what ZeroMQ has may leave within `linger_ms`; what is held back is dropped, 'closed'."""
        if not self._socket.closed:
            self._core.close()
            self._socket.close(linger_ms)

    def _accept(self, received: Received) -> tuple[str, Message] | None:
        raise NotImplementedError

    def _on_event(self, name: str, fd: int) -> None:
        raise NotImplementedError
