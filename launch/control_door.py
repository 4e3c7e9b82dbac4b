"""The control door of a run: a Unix socket for questions, faults and status, in a folder of its owner alone.

One JSON line in, one out. `m4sc ask`, `m4sc chaos inject` and the dashboard knock here;
`launch.local_control` says where the door of a testbed that stays up is.
"""

import base64
import binascii
import contextlib
import json
import shutil
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.temp_dirs import make_temp_dir
from launch.testbed import Testbed
from shared.config_file import ConfigError

_MAX_LINE_BYTES = 32 * 2**20
_IDLE_S = 120.0
_LOOK_S = 0.1  # how soon the listener sees that it is to end


def knock(path: str, request: dict[str, Any], timeout_s: float, whose: str = "the testbed") -> dict[str, Any]:
    """One request and its answer. Raises `LaunchError`, also for what is refused inside."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(path)
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as lines:
                line = lines.readline(_MAX_LINE_BYTES)
    except TimeoutError:
        raise LaunchError(f"{whose} did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise LaunchError(f"{whose} cannot be reached: {error.strerror}") from None
    if not line:
        raise LaunchError(f"{whose} closed the connection")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LaunchError(str(answer["error"]))
    return answer


class ControlDoor:
    """Open from the beginning, on threads of its own, until `close`. `path`: of the socket."""

    def __init__(self, testbed: Testbed, run_dir: Path, on_down: Callable[[], None]) -> None:
        self._folder = make_temp_dir("up")
        self.path = str(self._folder / "s")
        self._server = _Server(self.path, testbed, run_dir, on_down)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="m4sc-control", daemon=True
        )
        self._thread.start()

    @property
    def dashboard(self) -> str:
        """The address of the run's dashboard, empty without one: for `status`."""
        return self._server.dashboard

    @dashboard.setter
    def dashboard(self, url: str) -> None:
        self._server.dashboard = url

    def close(self) -> None:
        """Listen no more; nothing is left."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False  # who still waits for an answer gets none: the run is over
    request_queue_size = 16

    def __init__(self, path: str, testbed: Testbed, run_dir: Path, on_down: Callable[[], None]) -> None:
        self.testbed = testbed
        self.run_dir = run_dir
        self.on_down = on_down
        self.dashboard = ""
        super().__init__(path, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    timeout = _IDLE_S
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            line = self.rfile.readline(_MAX_LINE_BYTES)
            try:
                answer = self._answer(json.loads(line))
            except (LaunchError, ConfigError) as error:
                answer = {"error": str(error)}
            except (ValueError, KeyError, TypeError, binascii.Error) as error:
                answer = {"error": f"not a request: {' '.join(str(error).split())[:200]}"}
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        verb = request["verb"]
        if verb == "ask":
            result = self.server.testbed.ask(
                int(request["user"]),
                str(request["task"]),
                str(request["text"]),
                base64.b64decode(request["image"], validate=True),
            )
            return {
                "ask_id": result.ask_id,
                "user": result.user,
                "state": result.state,
                "reason": result.reason,
                "text": result.text,
                "latency_ms": result.latency_ms,
            }
        if verb in ("inject", "heal"):
            return self.server.testbed.inject(request["fault"] if verb == "inject" else None)
        if verb == "status":
            where = {"run_dir": str(self.server.run_dir), "dashboard": self.server.dashboard}
            return {**where, **self.server.testbed.status()}
        if verb == "down":
            self.server.on_down()
            return {"run_dir": str(self.server.run_dir)}
        raise LaunchError(f"{str(verb)[:40]!r}: expected ask, inject, heal, status or down")
