"""The journal of a run: JSON lines in one file that all roles of a host append to.

Each event is one line and one `write` on a file opened with O_APPEND, which Linux does not interleave with
other writers'. Every line has: t (s, this host's monotonic clock), wall (s, unix), host, role, user (-1
except for UEs; request events of the base station name the request's user), pid, event.

On a full disk lines wait in memory, in order, and are written when there is room: then `t` is older than that
of other roles' lines before.
"""

import contextlib
import errno
import json
import os
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.outside_text import parse_json

MAX_LINE_BYTES = 2**20
MAX_WAITING_BYTES = 4 * 2**20
"""Of lines that a full disk has not taken yet."""
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OWN = ("t", "wall", "host", "role", "pid", "event")
_LINE_START = '{"t":'
_MAX_T = 1e12  # s; no clock of a host says more


class JournalError(Exception):
    """An event cannot be written: a missing folder, a value that is not JSON, a disk full for too long."""


class Journal:
    """Appends the events of one role. Raises `JournalError` if the file cannot be opened.

    `trouble`: why events wait.
    """

    def __init__(self, path: Path | str, role: str, user: int, host: str, pid: int) -> None:
        self.path = Path(path)
        self._role = role
        self._user = user
        self._host = host
        self._pid = pid
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self.trouble = ""
        try:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise JournalError(f"{self.path}: journal cannot be opened ({error.strerror})") from None

    def write(self, event: str, t: float, /, **fields: Any) -> None:
        """Append one event at monotonic time `t` seconds; on a full disk it waits (`stalled`).

        Raises `JournalError` for what is no event, for other troubles of the disk, and when more than
        `MAX_WAITING_BYTES` wait.

        `fields` may override `user`, never who wrote the line or when.
        """
        if clash := [name for name in _OWN if name in fields]:
            raise JournalError(f"journal event {event}: the field {clash[0]} belongs to the journal")
        head = {"t": t, "wall": time.time(), "host": self._host, "role": self._role, "user": self._user}
        line = {**head, "pid": self._pid, "event": event, **fields}
        try:
            text = json.dumps(line, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise JournalError(f"journal event {event}: not JSON ({error})") from None
        data = text.encode() + b"\n"
        if len(data) > MAX_LINE_BYTES:
            raise JournalError(f"journal event {event}: a line of {len(data)} bytes is too long")
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if not self.flush() and self._waiting_bytes > MAX_WAITING_BYTES:
            raise JournalError(
                f"{self.path}: {self.trouble}, and {len(self._waiting)} events wait, "
                f"more than {MAX_WAITING_BYTES // 2**20} MiB of them"
            )

    @property
    def stalled(self) -> bool:
        """Whether events wait for a full disk."""
        return bool(self._waiting)

    def flush(self) -> bool:
        """Try the disk again; whether all is written. Raises `JournalError` for troubles but a full disk."""
        while self._waiting and self._append(self._waiting[0]):
            self._waiting_bytes -= len(self._waiting.popleft())
        return not self._waiting

    def _append(self, data: bytes) -> bool:
        """Whether there was room for the whole line; of one that was cut short nothing is left."""
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            if error.errno in _DISK_IS_FULL:
                self.trouble = str(error.strerror)
                return False
            raise JournalError(f"{self.path}: cannot be written ({error.strerror})") from None
        if written < len(data):
            self.trouble = "disk full"
            self._blank(os.lseek(self._fd, 0, os.SEEK_CUR) - written, written)
        return written == len(data)

    def _blank(self, start: int, length: int) -> None:
        """Make empty lines of a piece of a line. It cannot be cut off: others may have written behind it.

        Where even that fails the piece stays, and is read as a torn line.
        """
        with contextlib.suppress(OSError):
            fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)  # with O_APPEND, pwrite appends
            try:
                os.pwrite(fd, b"\n" * length, start)
            finally:
                os.close(fd)

    def close(self) -> None:
        """Close; harmless when done twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class TornLine:
    """A line that is not an event: its number from 1 and its first characters."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class JournalContents:
    """What a journal holds: whole events in file order, and what could not be read."""

    events: list[dict[str, Any]]
    torn: list[TornLine]


def read_journal(path: Path | str) -> JournalContents:
    """Read a journal, torn and garbage lines included. Raises `JournalError` only if there is no such file.

    A line cut short by a kill may have the next writer's line behind it: that one is recovered.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise JournalError(f"{path}: journal cannot be read ({error.strerror})") from None
    events: list[dict[str, Any]] = []
    torn: list[TornLine] = []
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if not raw:
            continue
        line = raw.decode("utf-8", errors="replace")
        event, whole = parse_line(line)
        if not whole:
            torn.append(TornLine(number, line[:200]))
        if event is not None:
            events.append(event)
    return JournalContents(events, torn)


def parse_line(line: str) -> tuple[dict[str, Any] | None, bool]:
    """The event of a line, and whether it is the whole line; of a torn one, what another wrote behind it."""
    event = _event(line)
    if event is not None:
        return event, True
    start = line.rfind(_LINE_START)
    return (_event(line[start:]) if start > 0 else None), False


def _event(line: str) -> dict[str, Any] | None:
    try:
        value = parse_json(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        return None
    t = value.get("t")
    if isinstance(t, bool) or not isinstance(t, int | float) or not abs(t) < _MAX_T:  # nor NaN, nor infinity
        return None
    return value
