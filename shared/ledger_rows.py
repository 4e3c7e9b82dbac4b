"""What a row of the ledger is: its key, its values, and sets of users as text.

A row is named by hop ('bs-ce', 'ce-ue', 'agent'), the end that counted ('bs', 'ce', 'ue-3', 'agent'), the
users concerned ('0-3,5', '' if none), direction (down: away from the base station; on 'agent': to the role),
class, purpose, outcome and reason. What the outcomes mean is said in `shared/accounting.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MAX_KEY_BYTES = 512
_SEPARATOR = "|"


class LedgerError(Exception):
    """A counter file cannot be made, grown or read; one line with the path."""


class RowKey(NamedTuple):
    """The name of a ledger row."""

    hop: str
    end: str
    users: str
    direction: str
    klass: str
    purpose: str
    outcome: str
    reason: str = ""

    def text(self) -> str:
        """'bs-ce|bs|0-3|down|public|first|offered|'. Raises `LedgerError` if a field holds the separator."""
        if any(_SEPARATOR in field for field in self):
            raise LedgerError(f"ledger key: expected fields without {_SEPARATOR!r}, received {tuple(self)}")
        return _SEPARATOR.join(self)

    @classmethod
    def parse(cls, text: str) -> "RowKey":
        """Inverse of `text`. Raises `LedgerError`."""
        fields = text.split(_SEPARATOR)
        if len(fields) != len(cls._fields):
            raise LedgerError(f"ledger key: expected {len(cls._fields)} fields, received {text[:80]!r}")
        return cls(*fields)


class Values(NamedTuple):
    """The numbers of a row. `channel_uses` counts complex symbols, `energy` is their sum of |x|^2."""

    frames: int = 0
    payload_bytes: int = 0
    header_bytes: int = 0
    wire_bytes: int = 0
    channel_uses: int = 0
    energy: float = 0.0

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Values":
        """From six numbers as text, in order. Raises `ValueError`."""
        frames, payload, header, wire, uses, energy = texts
        return cls(int(frames), int(payload), int(header), int(wire), int(uses), float(energy))

    def plus(self, other: "Values") -> "Values":
        return Values(
            self.frames + other.frames,
            self.payload_bytes + other.payload_bytes,
            self.header_bytes + other.header_bytes,
            self.wire_bytes + other.wire_bytes,
            self.channel_uses + other.channel_uses,
            self.energy + other.energy,
        )


class LedgerRow(NamedTuple):
    """One row as read."""

    key: RowKey
    values: Values


def merge(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """One row per key, sums of the values, sorted by key."""
    sums: dict[RowKey, Values] = {}
    for row in rows:
        sums[row.key] = sums.get(row.key, Values()).plus(row.values)
    return [LedgerRow(key, sums[key]) for key in sorted(sums)]


def compact_users(users: Iterable[int]) -> str:
    """(0, 1, 2, 5) -> '0-2,5'; nobody -> ''."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in _ranges(users))


def parse_users(text: str) -> tuple[int, ...]:
    """Inverse of `compact_users`, sorted. Raises `LedgerError`."""
    users: list[int] = []
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
            raise LedgerError(f"users: expected ranges like 0-3,5, received {text[:80]!r}")
        low, high = int(first), int(last or first)
        if high < low or (users and low <= users[-1]):
            raise LedgerError(f"users: expected rising ranges, received {text[:80]!r}")
        users += range(low, high + 1)
    return tuple(users)


def share_out(total: int, n: int) -> list[int]:
    """`total` in n integer shares, the remainder one each to the first; n >= 1."""
    quotient, remainder = divmod(total, n)
    return [quotient + 1] * remainder + [quotient] * (n - remainder)


def _ranges(users: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for user in sorted(set(users)):
        if first is None or last is None:
            first = last = user
        elif user == last + 1:
            last = user
        else:
            yield first, last
            first = last = user
    if first is not None and last is not None:
        yield first, last
