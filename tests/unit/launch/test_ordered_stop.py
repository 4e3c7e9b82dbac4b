"""When the two ends of every link agree."""

from launch.ordered_stop import ends_agree
from shared.ledger_rows import LedgerRow, RowKey, Values


def row(hop: str, end: str, direction: str, outcome: str, wire_bytes: int, reason: str = "") -> LedgerRow:
    key = RowKey(hop, end, "0", direction, "private", "first", outcome, reason)
    return LedgerRow(key, Values(wire_bytes=wire_bytes))


def test_what_arrived_may_have_been_dropped_there() -> None:
    rows = [
        row("bs-ce", "bs", "down", "offered", 100),
        row("bs-ce", "ce", "down", "delivered", 60),
        row("bs-ce", "ce", "down", "dropped", 40, "bad_header"),
        row("ce-ue", "ue-0", "up", "offered", 7),
        row("ce-ue", "ce", "up", "delivered", 7),
    ]
    assert ends_agree(rows)
    assert not ends_agree(rows[:2])


def test_what_the_sender_dropped_was_never_under_way() -> None:
    rows = [
        row("ce-ue", "ce", "down", "offered", 10),
        row("ce-ue", "ce", "down", "dropped", 90, "loss"),
        row("ce-ue", "ue-0", "down", "delivered", 10),
        row("ce-ue", "ce", "up", "offered", 0),
        row("agent", "bs", "up", "offered", 5),
    ]
    assert ends_agree(rows)


def test_directions_and_hops_are_not_mixed_up() -> None:
    sent = row("bs-ce", "bs", "down", "offered", 5)
    assert not ends_agree([sent, row("ce-ue", "ue-0", "down", "delivered", 5)])
    assert not ends_agree([sent, row("bs-ce", "bs", "up", "delivered", 5)])
    assert ends_agree([sent, row("bs-ce", "ce", "down", "delivered", 5)])
