"""The ledger's counters: a memory-mapped file per role incarnation that survives SIGKILL, and its readers.

    file   magic 'M4LEDGR1' | row bytes u32 | 4 zero bytes | rows
    row    key length u16 | 2 zero bytes | CRC-32 of the key u32 | key, UTF-8, 512 bytes | 5 x i64 | f64

Little-endian. A row is appended when its key is first used; the key's length is written last, so a row that a
kill cut short is not a row. What the process stored is in the page cache and outlives it.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.ledger_rows import (
    MAX_KEY_BYTES,
    LedgerError,
    LedgerRow,
    RowKey,
    Values,
    compact_users,
    merge,
    parse_users,
    share_out,
)

__all__ = [
    "Counters", "LedgerError", "LedgerRow", "RowKey", "Values",
    "compact_users", "flatten", "merge", "parse_users", "read_counters", "share_out", "unflatten",
]  # fmt: skip

_MAGIC = b"M4LEDGR1"
_FILE_HEAD = struct.Struct("<8sI4x")
_ROW_HEAD = struct.Struct("<H2xI")
_KEY_LENGTH = struct.Struct("<H")
_KEY_CRC = struct.Struct("<I")
_VALUES = struct.Struct("<5qd")
_VALUES_AT = _ROW_HEAD.size + MAX_KEY_BYTES
ROW_BYTES = _VALUES_AT + _VALUES.size
_FIRST_ROWS = 64


class Counters:
    """The counters of one role. Not for use from several threads.

    Raises `LedgerError` when the file exists already, cannot be made, or the disk is full.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._rows: dict[RowKey, list[int | float]] = {}  # offset of the values, then the values
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LedgerError(f"{self.path}: counters cannot be made ({error.strerror})") from None
        self._capacity = _FIRST_ROWS
        self._allocate()
        self._map = mmap.mmap(self._fd, self._file_bytes())
        _FILE_HEAD.pack_into(self._map, 0, _MAGIC, ROW_BYTES)

    def add(
        self,
        key: RowKey,
        frames: int = 0,
        payload_bytes: int = 0,
        header_bytes: int = 0,
        wire_bytes: int = 0,
        channel_uses: int = 0,
        energy: float = 0.0,
    ) -> None:
        """Add to the row of `key`. Raises `LedgerError` for a key above 512 bytes or a full disk."""
        row = self._rows.get(key)
        if row is None:
            row = self._append(key)
        row[1] += frames
        row[2] += payload_bytes
        row[3] += header_bytes
        row[4] += wire_bytes
        row[5] += channel_uses
        row[6] += energy
        _VALUES.pack_into(self._map, *row)  # type: ignore[arg-type]

    def rows(self) -> list[LedgerRow]:
        """A copy of all rows, in order of first use."""
        return [LedgerRow(key, Values(*row[1:])) for key, row in self._rows.items()]  # type: ignore[arg-type]

    def close(self) -> None:
        """Unmap and close; harmless when done twice. The file stays."""
        if not self._map.closed:
            self._map.close()
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, key: RowKey) -> list[int | float]:
        text = key.text().encode()
        if len(text) > MAX_KEY_BYTES:
            raise LedgerError(f"ledger key: expected at most {MAX_KEY_BYTES} bytes, received {len(text)}")
        index = len(self._rows)
        if index >= self._capacity // 2:
            self._grow(needed=index == self._capacity)
        start = _FILE_HEAD.size + index * ROW_BYTES
        self._map[start + _ROW_HEAD.size : start + _ROW_HEAD.size + len(text)] = text
        _KEY_CRC.pack_into(self._map, start + 4, zlib.crc32(text))
        _KEY_LENGTH.pack_into(self._map, start, len(text))
        row: list[int | float] = [start + _VALUES_AT, 0, 0, 0, 0, 0, 0.0]
        self._rows[key] = row
        return row

    def _grow(self, needed: bool) -> None:
        """Twice the room, before it is needed: a disk that is full for a while then harms nothing."""
        self._capacity *= 2
        try:
            self._allocate()
        except LedgerError:
            self._capacity //= 2
            if needed:
                raise
            return
        self._map.resize(self._file_bytes())

    def _file_bytes(self) -> int:
        return _FILE_HEAD.size + self._capacity * ROW_BYTES

    def _allocate(self) -> None:
        """Real blocks, not a hole: a store into a hole of a full disk would be a fatal SIGBUS."""
        try:
            os.posix_fallocate(self._fd, 0, self._file_bytes())
        except OSError as error:
            raise LedgerError(f"{self.path}: counters cannot grow ({error.strerror})") from None


def read_counters(path: Path | str) -> list[LedgerRow]:
    """All whole rows of a counter file, of a living process or a dead one; a torn last row is left out.

    Raises `LedgerError` if the file cannot be read or is not a counter file.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: counters cannot be read ({error.strerror})") from None
    if len(data) < _FILE_HEAD.size:
        return []  # killed before its first word
    magic, row_bytes = _FILE_HEAD.unpack_from(data)
    if magic == bytes(8):
        return []
    if magic != _MAGIC or row_bytes != ROW_BYTES:
        raise LedgerError(f"{path}: expected a counter file of this version")
    rows: list[LedgerRow] = []
    for start in range(_FILE_HEAD.size, len(data) - ROW_BYTES + 1, ROW_BYTES):
        length, crc = _ROW_HEAD.unpack_from(data, start)
        text = data[start + _ROW_HEAD.size : start + _ROW_HEAD.size + length]
        if length == 0 or length > MAX_KEY_BYTES or zlib.crc32(text) != crc:
            break
        try:
            key = RowKey.parse(text.decode())
        except (UnicodeDecodeError, LedgerError):
            break
        rows.append(LedgerRow(key, Values(*_VALUES.unpack_from(data, start + _VALUES_AT))))
    return rows


def flatten(rows: Iterable[LedgerRow], max_rows: int = 4_096) -> dict[str, str]:
    """Rows as a map that fits into a `Done` message: key text -> the values, comma-separated.

    Above `max_rows` rows the users are summed up (users '*'), so that the message stays bounded.
    """
    rows = merge(rows)
    if len(rows) > max_rows:
        rows = merge(LedgerRow(row.key._replace(users="*"), row.values) for row in rows)
    return {row.key.text(): ",".join(repr(v) for v in row.values) for row in rows[:max_rows]}


def unflatten(values: dict[str, object]) -> list[LedgerRow]:
    """Inverse of `flatten`; entries that are no ledger rows are left out."""
    rows: list[LedgerRow] = []
    for text, value in values.items():
        numbers = value.split(",") if isinstance(value, str) else []
        if len(numbers) != len(Values._fields):
            continue
        try:
            key = RowKey.parse(text)
            rows.append(LedgerRow(key, Values.parse(numbers)))
        except (LedgerError, ValueError):
            continue
    return rows
