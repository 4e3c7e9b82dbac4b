"""What the agent knows of each role process: started, ready, failed, ended; and what to tell of a crash."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.resources.sampler import Watched
from shared.spec import RoleSpec
from shared.wire.messages import Ready, RoleFailed

LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A role that ended on its own. `exit_code` is negative for a signal, as in `subprocess`."""

    name: str
    user: int
    incarnation: int
    exit_code: int
    detail: str
    last_output: tuple[str, ...]
    log_path: str

    def line(self) -> str:
        """One line for people."""
        how = f"killed by signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        said = self.detail or (self.last_output[-1] if self.last_output else "no output")
        return f"{self.name} ended ({how}): {said} (log: {self.log_path})"


@dataclass(slots=True)
class RoleEntry:
    """One role process of this host. `asked_to_end`: its end is no crash."""

    spec: RoleSpec
    pid: int | None = None
    ready: Ready | None = None
    failed: RoleFailed | None = None
    exit_code: int | None = None
    asked_to_end: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def alive(self) -> bool:
        return self.exit_code is None

    def watched(self) -> Watched | None:
        """For samples of what it uses; None before it has been forked."""
        spec = self.spec
        return None if self.pid is None else Watched(spec.role, spec.user, spec.incarnation, self.pid)

    def crash_report(self) -> CrashReport:
        return CrashReport(
            name=self.spec.name,
            user=self.spec.user,
            incarnation=self.spec.incarnation,
            exit_code=self.exit_code if self.exit_code is not None else 0,
            detail=self.failed.detail if self.failed is not None else "",
            last_output=last_lines(self.spec.log_path),
            log_path=str(self.spec.log_path),
        )

    def describe(self, host: str) -> dict[str, Any]:
        """The role as the summary and `m4sc status` show it."""
        return {
            "role": self.spec.role,
            "user": self.spec.user,
            "pid": self.pid,
            "host": host,
            "incarnation": self.spec.incarnation,
            "exit_code": self.exit_code,
            "fingerprint": self.ready.fingerprint if self.ready is not None else "",
        }


class RoleTable:
    """Of each role its latest process; and those that were alive when a successor was started beside them."""

    def __init__(self) -> None:
        self._latest: dict[str, RoleEntry] = {}
        self._replaced: dict[str, list[RoleEntry]] = {}

    def add(self, entry: RoleEntry) -> None:
        """It is its role's process from now on."""
        name = entry.spec.name
        old = self._latest.get(name)
        if old is not None and old.alive:
            self._replaced.setdefault(name, []).append(old)
        self._latest[name] = entry

    def get(self, name: str) -> RoleEntry | None:
        return self._latest.get(name)

    def __getitem__(self, name: str) -> RoleEntry:
        """The role's latest process. Raises `LaunchError` if there is no such role."""
        try:
            return self._latest[name]
        except KeyError:
            known = ", ".join(sorted(self._latest))
            raise LaunchError(f"{name}: no such role here (there are {known})") from None

    def up(self, name: str) -> RoleEntry:
        """The role's process, which is ready and has not ended. Raises `LaunchError`."""
        entry = self[name]
        if entry.ready is None or not entry.alive:
            raise LaunchError(f"{name} is not running")
        return entry

    def process(self, name: str, incarnation: int) -> RoleEntry:
        """A certain process of a role. Raises `LaunchError`."""
        for entry in (*self._replaced.get(name, ()), self[name]):
            if entry.spec.incarnation == incarnation:
                return entry
        raise LaunchError(f"{name}: no incarnation {incarnation} is known here")

    def latest(self) -> list[RoleEntry]:
        """One a role."""
        return list(self._latest.values())

    def __iter__(self) -> Iterator[RoleEntry]:
        """All processes, a replaced one before its successor."""
        names = self._latest
        return itertools.chain.from_iterable((*self._replaced.get(n, ()), names[n]) for n in names)


def last_lines(path: Path, count: int = LAST_LINES) -> tuple[str, ...]:
    """The last lines of a log, from at most its last 64 KiB; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 65_536))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(deque((line.rstrip() for line in text.splitlines() if line.strip()), maxlen=count))
