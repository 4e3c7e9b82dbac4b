"""The journal, as it grows: each look gives the events that were appended since the last one."""

from pathlib import Path
from typing import Any

from shared.journal import MAX_LINE_BYTES, parse_line

READ_BYTES = 8 * 2**20
"""At most so many at one look; the rest at the next."""


class JournalTail:
    """`torn`: lines that were no events. A line without its end waits for it."""

    def __init__(self, path: Path) -> None:
        self.torn = 0
        self._path = path
        self._offset = 0
        self._partial = b""

    def read(self) -> list[dict[str, Any]]:
        """In file order; none while there is no file."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(READ_BYTES)
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE_BYTES:
            self._partial = b""
            self.torn += 1
        events = []
        for raw in filter(None, lines):
            event, whole = parse_line(raw.decode("utf-8", errors="replace"))
            self.torn += not whole
            if event is not None:
                events.append(event)
        return events
