"""The agent's side of a forkserver: start it, ask for roles, hear of their ends."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from launch.errors import LaunchError
from launch.role_spec import spec_to_map
from shared.spec import RoleSpec

Report = dict[str, Any]
_MAX_LINE_BYTES = 2**20

MALLOC: Final = {"MALLOC_MMAP_THRESHOLD_": str(4 * 2**20)}
"""For glibc: larger blocks stay out of the heap and go back when they are freed. Left to itself it takes ever
larger ones from the heap, which then frays, and grows, under groups of changing size."""


class Nursery:
    """One forkserver process. Belongs to one asyncio loop; its reports come by `on_report` on that loop."""

    def __init__(
        self, label: str, modules: Sequence[str], log_path: Path, environment: dict[str, str],
        on_report: Callable[[Report], None],
    ) -> None:  # fmt: skip
        self.label = label
        self.load_ms: int | None = None
        self.threads: int | None = None
        self._modules = tuple(modules)
        self._log_path = log_path
        self._environment = {**MALLOC, **environment}
        self._on_report = on_report
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the process; it imports meanwhile. Requests wait in its socket until it has.

        To be called on a thread that lives as long as the forkserver shall: the kernel ends it with that.
        """
        ours, theirs = socket.socketpair()
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log, theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "launch.forkserver",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    *self._modules,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a Ctrl-C or hang-up of the terminal is the command's business
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_MAX_LINE_BYTES)
        self._reading = asyncio.create_task(self._read(reader))

    def fork(self, spec: RoleSpec, module: str) -> None:
        self._ask({"op": "fork", **_of(spec), "module": module, "spec": spec_to_map(spec)})

    def signal(self, spec: RoleSpec, number: int) -> None:
        """To the process of this very incarnation; nothing happens where it has ended."""
        self._ask({"op": "signal", **_of(spec), "number": number})

    def limit_files(self, spec: RoleSpec, max_bytes: int | None) -> None:
        """From now on the process cannot write beyond this place of any file; None: it can again."""
        self._ask({"op": "limit_files", **_of(spec), "max_bytes": max_bytes})

    async def close(self, timeout_s: float = 2.0) -> None:
        """End the forkserver, and with it every role it still has. Reaps it."""
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            try:
                await asyncio.to_thread(self._process.wait, timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                await asyncio.to_thread(self._process.wait)
        if self._reading is not None:
            self._reading.cancel()

    def _ask(self, request: dict[str, Any]) -> None:
        if self._writer is None or self._writer.is_closing():
            raise LaunchError(f"forkserver {self.label} is not running (its output: {self._log_path})")
        self._writer.write(json.dumps(request).encode() + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                report = json.loads(line)
                if report["event"] == "loaded":
                    self.load_ms, self.threads = report["load_ms"], report["threads"]
                self._on_report(report)
        except (ConnectionResetError, ValueError) as error:
            self._on_report({"event": "ended", "label": self.label, "detail": str(error)})
            return
        self._on_report({"event": "ended", "label": self.label, "detail": ""})


def _of(spec: RoleSpec) -> dict[str, Any]:
    return {"name": spec.name, "incarnation": spec.incarnation}
