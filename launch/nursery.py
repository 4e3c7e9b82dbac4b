"""The agent's side of a forkserver: start it, or find the one that was started for it; ask for roles, hear of
their ends."""

import asyncio
import json
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.forkserver_start import start_forkserver
from launch.role_spec import spec_to_map
from shared.spec import RoleSpec

Report = dict[str, Any]
_MAX_LINE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a forkserver is for: the run, what it has to have imported, where its output goes."""

    run_id: str
    modules: tuple[str, ...]
    log_path: Path


class Nursery:
    """One forkserver process. Belongs to one asyncio loop; its reports come by `on_report` on that loop.

    `early`: the socket at which one that imports already listens for agents, if there is one.
    """

    def __init__(
        self, label: str, beginning: Beginning, on_report: Callable[[Report], None], early: str | None = None
    ) -> None:
        self.label = label
        self._beginning = beginning
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
            ours = self._start() if self._early is None else _connected(self._early)
        except OSError as error:
            self._on_report({"event": "ended", "label": self.label, "detail": str(error)})
            return
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_MAX_LINE_BYTES)
        self._reading = asyncio.create_task(self._read(reader))
        begin = self._beginning
        log = str(begin.log_path.absolute())
        self._ask({"op": "begin", "run_id": begin.run_id, "modules": begin.modules, "log": log})

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = start_forkserver(theirs, self._beginning.modules, self._beginning.log_path)
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
        if self._reading is not None and self._writer is not None:
            self._writer.write_eof()  # it ends, and that closes its side
            await asyncio.wait([self._reading], timeout=timeout_s)
            self._writer.close()
            self._reading.cancel()
        if self._process is not None:
            self._process.kill()  # nothing, where it has ended
            await asyncio.to_thread(self._process.wait)
        self._writer = None

    def _ask(self, request: dict[str, Any]) -> None:
        if self._writer is None or self._writer.is_closing():
            raise LaunchError(
                f"forkserver {self.label} is not running (its output: {self._beginning.log_path})"
            )
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


def _connected(path: str) -> socket.socket:
    """Raises `OSError` where nobody listens any more."""
    ours = socket.socket(socket.AF_UNIX)
    try:
        ours.connect(path)
    except OSError:
        ours.close()
        raise
    return ours


def _of(spec: RoleSpec) -> dict[str, Any]:
    return {"name": spec.name, "incarnation": spec.incarnation}
