"""The door of a testbed that stays up: a Unix socket for `ask`, `status` and `down`, and its state file.

The socket lies in a folder that only its owner may enter; the state file (mode 600) in the state folder
($M4SC_STATE_DIR, else ~/.local/state/m4sc) says where. A lock on `up.lock`, held by the supervisor and
released by the kernel with it, makes a second testbed of the same user impossible. One JSON line in, one out.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
import shutil
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.temp_dirs import make_temp_dir
from launch.testbed import Testbed
from shared.config_file import ConfigError

STATE_FILE = "up.json"
LOCK_FILE = "up.lock"
_MAX_LINE_BYTES = 32 * 2**20
_IDLE_S = 120.0
_LOOK_S = 0.1  # how soon the listener sees that it is to end


def state_dir() -> Path:
    """Where the state of a testbed that stays up is kept."""
    given = os.environ.get("M4SC_STATE_DIR")
    if given:
        return Path(given).absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "m4sc"


@dataclass(frozen=True, slots=True)
class UpState:
    """A testbed that is up."""

    pid: int
    run_id: str
    run_dir: str
    socket_path: str


def read_state(folder: Path) -> UpState:
    """Raises `LaunchError` when no testbed is up."""
    if not _locked(folder):
        raise LaunchError("no testbed is up (start one with `m4sc up`)")
    try:
        return UpState(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise LaunchError(
            f"{folder / STATE_FILE}: the testbed is still starting or its state is damaged"
        ) from None


def refuse_second(folder: Path) -> None:
    """Raise `LaunchError` when a testbed of this user is up or starting."""
    if _locked(folder):
        raise LaunchError("a testbed is up already (see `m4sc status`; end it with `m4sc down`)")


def call(state: UpState, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """One request to the testbed. Raises `LaunchError`, also for what the testbed refuses."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(state.socket_path)
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as lines:
                line = lines.readline(_MAX_LINE_BYTES)
    except TimeoutError:
        raise LaunchError(f"the testbed (pid {state.pid}) did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise LaunchError(f"the testbed (pid {state.pid}) cannot be reached: {error.strerror}") from None
    if not line:
        raise LaunchError(f"the testbed (pid {state.pid}) closed the connection")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LaunchError(str(answer["error"]))
    return answer


class LocalControl:
    """The supervisor's side. Raises `LaunchError` when another testbed holds the lock."""

    def __init__(self, folder: Path, run_dir: Path, run_id: str) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LaunchError(f"{folder}: the state folder cannot be used ({error.strerror})") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise LaunchError(
                "a testbed is up already (see `m4sc status`; end it with `m4sc down`)"
            ) from None
        self._socket_dir = make_temp_dir("up")
        self._state = UpState(os.getpid(), run_id, str(run_dir), str(self._socket_dir / "s"))
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def serve(self, testbed: Testbed, on_down: Callable[[], None]) -> None:
        """Answer from now on, on threads of its own, and say where in the state file."""
        self._server = _Server(self._state.socket_path, testbed, on_down, self._state)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="m4sc-control", daemon=True
        )
        self._thread.start()
        path = self._folder / STATE_FILE
        partial = path.with_name(f"{STATE_FILE}.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({name: getattr(self._state, name) for name in UpState.__slots__}, file)
        partial.replace(path)

    def close(self) -> None:
        """Listen no more and remove socket and state file; the lock goes with the process."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        with contextlib.suppress(OSError):
            (self._folder / STATE_FILE).unlink()
        shutil.rmtree(self._socket_dir, ignore_errors=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, path: str, testbed: Testbed, on_down: Callable[[], None], state: UpState) -> None:
        self.testbed = testbed
        self.on_down = on_down
        self.state = state
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
                "user": result.user,
                "state": result.state,
                "reason": result.reason,
                "text": result.text,
                "latency_ms": result.latency_ms,
            }
        if verb in ("inject", "heal"):
            return self.server.testbed.inject(request["fault"] if verb == "inject" else None)
        if verb == "status":
            return {"run_dir": self.server.state.run_dir, **self.server.testbed.status()}
        if verb == "down":
            self.server.on_down()
            return {"run_dir": self.server.state.run_dir}
        raise LaunchError(f"{str(verb)[:40]!r}: expected ask, inject, heal, status or down")


def _locked(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LaunchError(f"{folder / LOCK_FILE}: cannot be read ({error.strerror})") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
