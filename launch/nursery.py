"""The agent's side of a forkserver: start it, or find the one that was started for it; ask for roles, hear of
their ends."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.forkserver_start import EarlyForkserver, start_forkserver
from launch.guardian import wait_gone
from launch.role_spec import spec_to_map
from shared.spec import RoleSpec

Report = dict[str, Any]
_MAX_LINE_BYTES = 2**20


class Nursery:
    """One forkserver process. Belongs to one asyncio loop; its reports come by `on_report` on that loop.

    `early`: the forkserver that imports already, if there is one.
    """

    def __init__(
        self, label: str, modules: Sequence[str], log_path: Path, on_report: Callable[[Report], None],
        early: EarlyForkserver | None = None,
    ) -> None:  # fmt: skip
        self.label = label
        self._modules = tuple(modules)
        self._log_path = log_path
        self._on_report = on_report
        self._early = early
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the process; it imports meanwhile. Requests wait in its socket until it has.

        To be called on a thread that lives as long as the forkserver shall: the kernel ends it with that.
        """
        try:
            ours = self._start() if self._early is None else self._find(self._early)
        except OSError as error:
            self._on_report({"event": "ended", "label": self.label, "detail": str(error)})
            return
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_MAX_LINE_BYTES)
        self._reading = asyncio.create_task(self._read(reader))

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = start_forkserver(theirs, self._modules, self._log_path)
        return ours

    @staticmethod
    def _find(early: EarlyForkserver) -> socket.socket:
        ours = socket.socket(socket.AF_UNIX)
        try:
            ours.connect(early.path)
        except OSError:  # it has ended
            ours.close()
            raise
        return ours

    def fork(self, spec: RoleSpec, module: str) -> None:
        self._ask({"op": "fork", **_of(spec), "module": module, "spec": spec_to_map(spec)})

    def signal(self, spec: RoleSpec, number: int) -> None:
        """To the process of this very incarnation; nothing happens where it has ended."""
        self._ask({"op": "signal", **_of(spec), "number": number})

    def limit_files(self, spec: RoleSpec, max_bytes: int | None) -> None:
        """From now on the process cannot write beyond this place of any file; None: it can again."""
        self._ask({"op": "limit_files", **_of(spec), "max_bytes": max_bytes})

    async def close(self, timeout_s: float = 2.0) -> None:
        """End the forkserver, and with it every role it still has. Reaps it, if it was started here."""
        if self._writer is not None:
            self._writer.close()
        await asyncio.to_thread(self._end, timeout_s)
        if self._reading is not None:
            self._reading.cancel()

    def _end(self, timeout_s: float) -> None:
        if self._process is not None:
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Whoever started an early one reaps it after this, so until now its pid is certainly still its own.
        if self._early is not None and not wait_gone(self._early.pid, timeout_s):
            os.kill(self._early.pid, signal.SIGKILL)
        self._early = None

    def _ask(self, request: dict[str, Any]) -> None:
        if self._writer is None or self._writer.is_closing():
            raise LaunchError(f"forkserver {self.label} is not running (its output: {self._log_path})")
        self._writer.write(json.dumps(request).encode() + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                report = json.loads(line)
                self._on_report(report)
        except (ConnectionResetError, ValueError) as error:
            self._on_report({"event": "ended", "label": self.label, "detail": str(error)})
            return
        self._on_report({"event": "ended", "label": self.label, "detail": ""})


def _of(spec: RoleSpec) -> dict[str, Any]:
    return {"name": spec.name, "incarnation": spec.incarnation}
