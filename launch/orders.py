"""What the command and its supervisor say to each other: JSON lines over a socket pair.

command -> supervisor   {"verb": "stop", "why": "SIGINT"} · {"verb": "detach"}
supervisor -> command   {"kind": K, ...}; K: phase, planned, note, crash, progress, ready, dashboard, error,
                        finished
"""

import contextlib
import json
import socket
from dataclasses import dataclass, field
from typing import Any

_MAX_LINE_BYTES = 4 * 2**20
_SEND_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What the supervisor is started with. `stay`: no workload; up until told to go down.

    `dashboard`: {"host": ..., "port": ...} where the run's page shall be; none without one. `ray`: the
    address of a Ray that the command keeps, `early` the sockets of its forkservers (`launch.standby`).
    """

    fd: int
    run_dir: str
    run_id: str
    front_pid: int
    started_wall_s: float
    stay: bool = False
    state_dir: str = ""
    dashboard: dict[str, Any] | None = None
    ray: str | None = None
    early: dict[str, str] = field(default_factory=dict)


class LineSocket:
    """A stream socket that carries JSON objects, one a line."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    def put(self, message: dict[str, Any]) -> None:
        """Send; a peer that is gone or does not read for two seconds misses it."""
        self._socket.settimeout(_SEND_TIMEOUT_S)
        with contextlib.suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def take(self) -> list[dict[str, Any]] | None:
        """What has come in, perhaps nothing yet; None when the peer has closed. Call when readable."""
        self._socket.settimeout(_SEND_TIMEOUT_S)
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            return []
        except OSError:
            return None
        if not data or len(self._buffer) > _MAX_LINE_BYTES:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def shut(self) -> None:
        """Both ends see the end of what is said, in either direction."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
