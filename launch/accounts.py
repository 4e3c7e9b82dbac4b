"""Who pays for which byte: every message once, by who originated it, from the ledger alone.

    a user's account   what the base station offered for that user, what its UE offered, and the emulator's
                       session messages to it
    unattributed       session messages between base station and emulator, and whatever concerns no user of
                       the run

A row for several users (public frames, their pilots) is shared out in whole bytes: the remainder goes one
each to the first users by id. Relayed messages are not counted again, so users + unattributed = link total.
Bytes are wire bytes, ZMTP framing included; `payload_bytes` is the samples and index maps among them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

from shared.ledger_rows import LedgerError, LedgerRow, parse_users, share_out

BYTES_OF = {
    "public": "public_bytes",
    "private": "private_bytes",
    "side": "side_bytes",
    "pilots": "pilot_bytes",
    "feedback": "feedback_bytes",
    "control": "control_bytes",
    "session": "control_bytes",
}
"""Class of a ledger row -> column. Control is the end-to-end and the hop-local kind together."""

USES_OF = {
    "public": "public_uses",
    "private": "private_uses",
    "side": "side_uses",
    "pilots": "pilot_uses",
}
"""Class of a ledger row -> column of its channel uses; those of any other class are `other_uses`."""

USES_COLUMNS = (*USES_OF.values(), "other_uses")
"""These columns add up to `channel_uses`."""

COLUMNS = tuple(dict.fromkeys(BYTES_OF.values()))
"""These columns add up to `wire_bytes`."""


@dataclass
class Account:
    """Integers. `retransmitted_bytes` and `payload_bytes` are parts of the other columns, not additions."""

    public_bytes: int = 0
    private_bytes: int = 0
    side_bytes: int = 0
    pilot_bytes: int = 0
    control_bytes: int = 0
    feedback_bytes: int = 0
    retransmitted_bytes: int = 0
    payload_bytes: int = 0
    wire_bytes: int = 0
    channel_uses: int = 0
    public_uses: int = 0
    private_uses: int = 0
    side_uses: int = 0
    pilot_uses: int = 0
    other_uses: int = 0
    retransmitted_uses: int = 0
    frames: int = 0
    energy: float = 0.0

    def add(self, other: "Account") -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass
class Accounts:
    """Accounts of all users of a run, of nobody in particular, and of the link as a whole."""

    users: list[Account]
    unattributed: Account = field(default_factory=Account)
    total: Account = field(default_factory=Account)


def accounts(rows: Iterable[LedgerRow], users: int) -> Accounts:
    """Split the originated rows of a ledger over `users` users."""
    result = Accounts([Account() for _ in range(users)])
    for row in rows:
        if not is_originated(row):
            continue
        result.total.add(_booked(row, _numbers(row), row.values.energy))
        payers = [user for user in _users_of(row) if user < users]
        if not payers:
            result.unattributed.add(_booked(row, _numbers(row), row.values.energy))
            continue
        shares = [share_out(number, len(payers)) for number in _numbers(row)]
        for place, user in enumerate(payers):
            mine = [share[place] for share in shares]
            result.users[user].add(_booked(row, mine, row.values.energy / len(payers)))
    return result


def is_originated(row: LedgerRow) -> bool:
    """Whether this row counts messages at the end that made them: each message is in one such row."""
    key = row.key
    if key.outcome != "offered":
        return False
    if key.hop == "bs-ce":
        return key.end == "bs" or key.klass == "session"
    return key.hop == "ce-ue" and (key.end.startswith("ue-") or key.klass == "session")


def _users_of(row: LedgerRow) -> Sequence[int]:
    """Who pays; nobody for the session between base station and emulator."""
    key = row.key
    if key.hop == "bs-ce" and key.klass == "session":
        return ()
    text = key.users or (key.end.removeprefix("ue-") if key.end.startswith("ue-") else "")
    try:
        return parse_users(text)
    except LedgerError:
        return ()


def _numbers(row: LedgerRow) -> tuple[int, int, int, int]:
    values = row.values
    return values.wire_bytes, values.payload_bytes, values.channel_uses, values.frames


def _booked(row: LedgerRow, numbers: Sequence[int], energy: float) -> Account:
    wire, payload, uses, frames = numbers
    account = Account(wire_bytes=wire, payload_bytes=payload, channel_uses=uses, frames=frames, energy=energy)
    setattr(account, BYTES_OF.get(row.key.klass, "control_bytes"), wire)
    setattr(account, USES_OF.get(row.key.klass, "other_uses"), uses)
    if row.key.purpose == "retransmission":
        account.retransmitted_bytes = wire
        account.retransmitted_uses = uses
    return account
