"""The supervisor's side of the dashboard: a child process that is started, heard, and ended."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from launch.dashboard.address import Address
from launch.descriptors import readable
from launch.errors import LaunchError

START_S: Final = 60.0
END_S: Final = 2.0
_MAX_LINE_BYTES: Final = 65_536


class DashboardChild:
    """Start it on a thread that lives as long as it shall: it dies with the thread that started it."""

    def __init__(self, run_dir: Path, control: str, address: Address) -> None:
        orders = {"run_dir": str(run_dir), "control": control, **asdict(address), "parent": os.getpid()}
        self._log = run_dir / "logs" / "dashboard.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "launch.dashboard", json.dumps(orders)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def wait_ready(self, timeout_s: float = START_S) -> str:
        """Its address. Raises `LaunchError` when it does not come."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if not readable([descriptor], timeout_s):
            raise LaunchError(f"the dashboard did not start within {timeout_s:g} s (log: {self._log})")
        told = _message(os.read(descriptor, _MAX_LINE_BYTES))
        if "url" not in told:
            why = told.get("error") or f"it ended (log: {self._log})"
            raise LaunchError(f"the dashboard did not start: {why}")
        return str(told["url"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ended(self, timeout_s: float) -> bool:
        """Whether it has ended by itself within `timeout_s`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self._process.returncode is not None

    def end(self, timeout_s: float = END_S) -> None:
        """In order within `timeout_s`, else at once; harmless when it has ended."""
        if timeout_s > 0.0:
            self._process.terminate()
            self.wait_ended(timeout_s)
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """After its end, when nobody waits for its word any more."""
        if self._process.stdout is not None:
            self._process.stdout.close()


def _message(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
