"""Somebody who looks at a dashboard, without a browser: takes all that a page is sent, and draws nothing.

What drawing costs is the visitor's machine's affair. Speaks as NiceGUI's own script does: Engine.IO 4 over a
WebSocket, with the page's client id in the handshake.
"""

import re
import threading
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from launch.errors import LaunchError

_WAIT_S = 60.0
_LOOK_S = 0.2
_CLIENT = re.compile(r"""["']client_id["']:\s*["']([^"']+)["']""")
_OPEN, _PING, _PONG, _CONNECT = "0", "2", "3", "40"  # of Engine.IO 4 and Socket.IO 5


class Visitor:
    """`bytes` that it was sent since it came."""

    def __init__(self, url: str) -> None:
        self.bytes = 0
        self._saw = threading.Event()
        self._url = url
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._look, name="visitor", daemon=True)

    def come(self) -> None:
        """On a thread of its own; until the page ends, or it leaves."""
        self._thread.start()

    def saw_something(self, timeout_s: float = 0.0) -> bool:
        """Whether the page has sent something; waits so long for it."""
        return self._saw.wait(timeout_s)

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(_WAIT_S)

    def _look(self) -> None:
        query = {
            "EIO": "4", "transport": "websocket", "client_id": self._client_id(), "next_message_id": "0",
            "document_id": "bench", "tab_id": "bench", "implicit_handshake": "true",
        }  # fmt: skip
        where = f"ws://{urlsplit(self._url).netloc}/_nicegui_ws/socket.io/?{urlencode(query)}"
        with connect(where, max_size=None) as link:
            while not self._leave.is_set():
                try:
                    text = str(link.recv(timeout=_LOOK_S))
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return  # the run is over
                if text.startswith(_OPEN):
                    link.send(_CONNECT)
                elif text == _PING:
                    link.send(_PONG)
                elif not text.startswith(_CONNECT):
                    self.bytes += len(text)
                    self._saw.set()

    def _client_id(self) -> str:
        parts = urlsplit(self._url)
        connection = HTTPConnection(parts.netloc, timeout=_WAIT_S)
        try:
            connection.request("GET", "/")
            found = _CLIENT.search(connection.getresponse().read().decode())
        finally:
            connection.close()
        if found is None:
            raise LaunchError(f"{self._url}: not a page of NiceGUI")
        return found[1]
