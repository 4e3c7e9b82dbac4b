"""Where the testbed is that stays up: its state file, and the lock that makes a second one impossible.

The state file (mode 600) in the state folder ($M4SC_STATE_DIR, else ~/.local/state/m4sc) says where the
control door is. The lock on `up.lock` is held by the supervisor and released by the kernel with it.
"""

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from launch.control_door import knock
from launch.errors import LaunchError

STATE_FILE = "up.json"
LOCK_FILE = "up.lock"


def state_dir() -> Path:
    """Where the state of a testbed that stays up is kept."""
    given = os.environ.get("M4SC_STATE_DIR")
    if given:
        return Path(given).absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "m4sc"


@dataclass(frozen=True, slots=True)
class UpState:
    """A testbed that is up. `dashboard`: the address of its page, empty without one."""

    pid: int
    run_id: str
    run_dir: str
    socket_path: str
    dashboard: str = ""


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
    return knock(state.socket_path, request, timeout_s, f"the testbed (pid {state.pid})")


class LocalControl:
    """The supervisor's side. Raises `LaunchError` when another testbed holds the lock."""

    def __init__(self, folder: Path) -> None:
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

    def announce(self, state: UpState) -> None:
        """Say where the testbed is."""
        path = self._folder / STATE_FILE
        partial = path.with_name(f"{STATE_FILE}.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
        partial.replace(path)

    def close(self) -> None:
        """It is up no more; the lock goes with the process."""
        with contextlib.suppress(OSError):
            (self._folder / STATE_FILE).unlink()


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
