"""What a host's agent can do to the processes of its roles, on its loop. Whatever was begun, `let_go` ends.

Nobody stays stopped when the agent dies: the forkservers end with it, and every role with its forkserver.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from launch.chaos.throttle import throttle
from launch.errors import LaunchError
from launch.nursery import Nursery
from launch.role_table import RoleEntry, RoleTable
from shared.spec import RoleSpec

_ROOM_BYTES = 64
"""What a full disk still takes of the next line of the journal."""


class Hands:
    """`table` is the agent's own; names are those of roles. `LaunchError`: not there or not ready."""

    def __init__(
        self, table: RoleTable, nursery_of: Callable[[RoleSpec], Nursery], journal_path: Path
    ) -> None:
        self._table = table
        self._nursery_of = nursery_of
        self._journal_path = journal_path
        self._slowed: dict[str, asyncio.Task[None]] = {}

    async def end(self, name: str) -> None:
        """Ask it to leave in good order."""
        entry = self._table.up(name)
        entry.asked_to_end = True
        self._send(entry, signal.SIGTERM)

    async def signal(self, name: str, number: int, incarnation: int | None = None) -> None:
        """To its process; to that of an incarnation, even if that is not ready or has ended."""
        entry = self._table.up(name) if incarnation is None else self._table.process(name, incarnation)
        self._send(entry, number)

    async def slow(self, name: str, cpu_share: float, for_s: float) -> None:
        """At most this share of one core for it, for `for_s` seconds."""
        entry = self._table.up(name)
        if entry.pid is None:
            raise LaunchError(f"{name} has no process")
        await self._stop_slowing(name)
        work = throttle(entry.pid, cpu_share, for_s, lambda number: self._send(entry, number))
        self._slowed[name] = asyncio.create_task(work)

    async def fill_disk(self, name: str) -> None:
        """No room for what it writes beyond the journal's present end."""
        entry = self._table.up(name)
        size = self._journal_path.stat().st_size
        self._nursery_of(entry.spec).limit_files(entry.spec, size + _ROOM_BYTES)

    async def go_on(self, name: str) -> None:
        """Ends all that."""
        await self._stop_slowing(name)
        for entry in self._table:
            if entry.alive and entry.spec.name == name:
                self._nursery_of(entry.spec).limit_files(entry.spec, None)
                self._send(entry, signal.SIGCONT)

    async def let_go(self) -> None:
        """Of every role; a forkserver that is gone has taken its own along."""
        for entry in self._table.latest():
            with contextlib.suppress(LaunchError):
                await self.go_on(entry.spec.name)

    async def _stop_slowing(self, name: str) -> None:
        task = self._slowed.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _send(self, entry: RoleEntry, number: int) -> None:
        self._nursery_of(entry.spec).signal(entry.spec, number)
