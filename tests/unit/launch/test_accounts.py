"""Per-user accounts add up to the link, to the byte, for any users; checked against independent sums."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from launch.accounts import COLUMNS, USES_COLUMNS, Account, accounts
from shared.ledger_rows import LedgerRow, RowKey, Values, compact_users

INTEGERS = [f.name for f in fields(Account) if f.name != "energy"]
KLASSES = ("public", "private", "side", "pilots", "control", "session", "feedback", "unknown")


@st.composite
def ledger_rows(draw: st.DrawFn) -> LedgerRow:
    hop = draw(st.sampled_from(("bs-ce", "ce-ue", "agent")))
    ends = (
        ("bs", "ce") if hop == "bs-ce" else ("ce", "ue-0", "ue-2", "ue-9") if hop == "ce-ue" else ("agent",)
    )
    users = draw(st.sets(st.integers(0, 11), max_size=8))
    key = RowKey(
        hop,
        draw(st.sampled_from(ends)),
        draw(st.sampled_from([compact_users(users), "*", ""])),
        draw(st.sampled_from(("down", "up"))),
        draw(st.sampled_from(KLASSES)),
        draw(st.sampled_from(("first", "retransmission"))),
        draw(st.sampled_from(("offered", "delivered", "dropped", "duplicated"))),
    )
    counts = [draw(st.integers(0, 2**40)) for _ in range(5)]
    return LedgerRow(key, Values(counts[0], counts[1], counts[2], counts[3], counts[4], 1.5))


@given(st.lists(ledger_rows(), max_size=30), st.integers(1, 10))
def test_users_and_nobody_add_up_to_the_link_exactly(rows: list[LedgerRow], users: int) -> None:
    split = accounts(rows, users)
    assert len(split.users) == users
    for name in INTEGERS:
        parts = [getattr(account, name) for account in (*split.users, split.unattributed)]
        assert all(isinstance(part, int) for part in parts)
        assert sum(parts) == getattr(split.total, name), name
    originated = [
        row.values
        for row in rows
        if row.key.outcome == "offered"
        and (
            (row.key.hop == "bs-ce" and (row.key.end == "bs" or row.key.klass == "session"))
            or (row.key.hop == "ce-ue" and (row.key.end != "ce" or row.key.klass == "session"))
        )
    ]
    assert split.total.wire_bytes == sum(values.wire_bytes for values in originated)
    assert split.total.channel_uses == sum(values.channel_uses for values in originated)


@given(st.lists(ledger_rows(), max_size=30), st.integers(1, 10))
def test_the_classes_add_up_to_wire_bytes_and_channel_uses(rows: list[LedgerRow], users: int) -> None:
    split = accounts(rows, users)
    for account in (*split.users, split.unattributed, split.total):
        assert sum(getattr(account, column) for column in COLUMNS) == account.wire_bytes
        assert sum(getattr(account, column) for column in USES_COLUMNS) == account.channel_uses


def test_the_remainder_of_a_shared_frame_goes_to_the_first_users() -> None:
    key = RowKey("bs-ce", "bs", "1-2,4", "down", "public", "first", "offered")
    split = accounts([LedgerRow(key, Values(1, 100, 0, 101, 50, 50.0))], 5)
    assert [account.public_bytes for account in split.users] == [0, 34, 34, 0, 33]
    assert [account.channel_uses for account in split.users] == [0, 17, 17, 0, 16]
    assert split.total.public_bytes == 101


def test_relayed_messages_are_not_counted_again() -> None:
    rows = [
        LedgerRow(RowKey("bs-ce", "bs", "0", "down", "private", "first", "offered"), Values(wire_bytes=10)),
        LedgerRow(RowKey("ce-ue", "ce", "0", "down", "private", "first", "offered"), Values(wire_bytes=10)),
        LedgerRow(RowKey("ce-ue", "ue-0", "0", "up", "feedback", "first", "offered"), Values(wire_bytes=7)),
        LedgerRow(RowKey("bs-ce", "ce", "0", "up", "feedback", "first", "offered"), Values(wire_bytes=7)),
        LedgerRow(RowKey("ce-ue", "ce", "0", "down", "session", "first", "offered"), Values(wire_bytes=3)),
        LedgerRow(RowKey("bs-ce", "ce", "0", "up", "session", "first", "offered"), Values(wire_bytes=5)),
        LedgerRow(RowKey("agent", "agent", "0", "down", "agent", "first", "offered"), Values(wire_bytes=99)),
    ]
    split = accounts(rows, 1)
    assert split.users[0].wire_bytes == 20
    assert split.unattributed.wire_bytes == 5
    assert split.total.wire_bytes == 25


def test_a_user_beyond_the_run_is_nobody() -> None:
    key = RowKey("ce-ue", "ce", "77", "down", "session", "first", "offered")
    split = accounts([LedgerRow(key, Values(wire_bytes=40))], 2)
    assert (split.unattributed.control_bytes, split.total.wire_bytes) == (40, 40)
