"""Sources, incarnations, credit, queues and books of hub and peer; over TCP it is the same code."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ledger import Counters, merge
from shared.ledger_rows import RowKey, Values
from shared.link_types import Link, sizes_of, wire_bytes_of
from shared.memory_link import MemoryHub, MemoryPeer
from shared.wire.codec import encode
from shared.wire.damage import HeaderErrors
from shared.wire.errors import LocalProtocolError
from shared.wire.messages import Command, Done, Heartbeat, Message, Progress, Refused, SymbolFrame
from tests.unit.shared.samples import (
    answer,
    feedback,
    heartbeat,
    hello,
    side_info,
    symbol_frame,
    welcome,
)

WINDOW = 65_536
QUEUE = 200_000


class World:
    """An emulator's hub, a base station and two users."""

    def __init__(self, folder: Path) -> None:
        self.counters = {name: Counters(folder / name) for name in ("ce", "bs", "ue-0", "ue-1")}
        self.hub = MemoryHub(self.counters["ce"], WINDOW, QUEUE)
        self.bs = MemoryPeer(self.hub, "bs", 0, self.counters["bs"])
        self.ue = [MemoryPeer(self.hub, f"ue:{u}", 0, self.counters[f"ue-{u}"]) for u in (0, 1)]
        self.bs.send("ce", hello("bs", -1))
        for user in (0, 1):
            self.ue[user].send("ce", hello(user=user))
            self.hub_takes()
            self.hub.send(f"ue:{user}", welcome(user, credit_bytes=WINDOW))
            assert taken(self.ue[user]) == [welcome(user, credit_bytes=WINDOW)]

    def hub_takes(self) -> list[tuple[str, Message]]:
        found = []
        while (received := self.hub.receive_nowait()) is not None:
            found.append(received)
        return found

    def book(self, end: str, **fields: str) -> Values:
        """The sum of one end's rows that have these fields."""
        total = Values()
        for key, values in self.counters[end].rows():
            if all(getattr(key, name) == value for name, value in fields.items()):
                total = total.plus(values)
        return total

    def dropped(self, end: str) -> dict[str, int]:
        """Frames by reason."""
        found: Counter[str] = Counter()
        for key, values in self.counters[end].rows():
            if key.outcome == "dropped" and values.frames:
                found[key.reason] += values.frames
        return dict(found)


def taken(link: Link) -> list[Message]:
    found = []
    while (received := link.receive_nowait()) is not None:
        found.append(received[1])
    return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for counters in made.counters.values():
        counters.close()


def big(user: int, n: int = 0, size: int = 20_000) -> SymbolFrame:
    return symbol_frame(stream="private", users=(user,), frame_id=n, uses=size // 4, payload=bytes(size))


def test_bytes_are_those_of_the_codec(world: World) -> None:
    frame = symbol_frame(users=(0, 1))
    world.bs.send("ce", frame)
    assert world.hub_takes() == [("bs", frame)]
    parts = encode(frame)
    sizes = sizes_of(parts)
    row = world.book("bs", outcome="offered", klass="public")
    assert (row.frames, row.header_bytes) == (1, sizes.header)
    both = row.plus(world.book("bs", outcome="offered", klass="pilots"))
    assert (both.wire_bytes, both.channel_uses) == (wire_bytes_of(parts), 10)


def test_both_ends_book_the_same_and_fan_out_is_conserved(world: World) -> None:
    world.bs.send("ce", symbol_frame(users=(0, 1)))
    world.bs.send("ce", side_info(user=1))
    ((_, frame), (_, side)) = world.hub_takes()
    assert isinstance(frame, SymbolFrame)
    world.hub.send("ue:0", symbol_frame(users=(0,)))
    world.hub.drop("ue:1", frame, "loss")
    world.hub.send("ue:1", side)
    taken(world.ue[0]), taken(world.ue[1])
    for klass in ("public", "pilots", "side"):
        sent = world.book("bs", outcome="offered", klass=klass)
        assert sent == world.book("ce", hop="bs-ce", outcome="delivered", klass=klass)
        arrived = sent.frames + world.book("ce", outcome="duplicated", klass=klass).frames
        offered = world.book("ce", hop="ce-ue", outcome="offered", klass=klass)
        lost = world.book("ce", hop="ce-ue", outcome="dropped", klass=klass)
        assert arrived == offered.frames + lost.frames
        ends = [world.book(f"ue-{u}", outcome="delivered", klass=klass) for u in (0, 1)]
        assert offered == ends[0].plus(ends[1])
    keys = {row.key for row in merge(world.counters["ce"].rows())}
    assert RowKey("ce-ue", "ce", "1", "down", "public", "first", "dropped", "loss") in keys
    assert RowKey("bs-ce", "ce", "0-1", "down", "public", "first", "duplicated", "") in keys


def test_a_role_gives_up_what_it_had_received(world: World) -> None:
    world.ue[0].send("ce", feedback(0))
    ((source, message),) = world.hub_takes()
    assert world.book("ce", klass="feedback", outcome="delivered").frames == 1
    world.hub.drop(source, message, "not_attached")
    assert world.book("ce", klass="feedback", outcome="delivered") == Values()
    row = world.book("ce", klass="feedback", outcome="dropped", direction="up", hop="ce-ue")
    assert row.wire_bytes == wire_bytes_of(encode(message))


def test_nobody_speaks_for_another(world: World) -> None:
    world.ue[0].send("ce", feedback(1))
    world.ue[0].send("ce", side_info(user=0))
    world.ue[0].send("ce", answer(0, incarnation=3))
    world.hub.send("ue:1", symbol_frame(users=(0,)))
    assert world.hub_takes() == []
    assert taken(world.ue[1]) == []
    assert world.dropped("ce") == {"wrong_source": 2, "wrong_direction": 1}
    assert world.dropped("ue-1") == {"wrong_user": 1}


def test_garbage_is_counted_in_bytes(world: World) -> None:
    world.hub.inbox.put(b"ue-0.0", [b"m4 garbage garbage"])
    world.hub.inbox.put(b"ue-0.0", [])
    world.hub.inbox.put(b"\x00\x01\x02", [b"hello"])
    world.ue[1].inbox.put(b"", [b"rubbish", b"rubbish", b"rubbish"])
    assert world.hub_takes() == []
    assert taken(world.ue[1]) == []
    assert world.dropped("ce") == {"bad_magic": 1, "bad_parts": 1, "unknown_peer": 1}
    assert world.book("ce", klass="unknown", reason="bad_magic", users="0").wire_bytes == 20
    assert world.dropped("ue-1") == {"bad_parts": 1}
    world.ue[0].send("ce", feedback(0))
    assert world.hub_takes() == [("ue:0", feedback(0))]


def test_credit_bounds_what_is_under_way(world: World) -> None:
    for n in range(8):
        world.hub.send("ue:0", big(0, n))
    under_way = world.book("ce", outcome="offered", klass="private", users="0").frames
    assert under_way == 4  # the first that goes beyond 64 KiB is the last
    assert 60_000 < world.hub.pending_bytes < 100_000
    world.hub.send("ue:1", big(1))  # nobody waits for another
    assert len(taken(world.ue[1])) == 1
    world.hub.send("ue:0", heartbeat(0))  # and the session does not wait for frames
    got = taken(world.ue[0])
    assert [m.frame_id for m in got if isinstance(m, SymbolFrame)] == [0, 1, 2, 3]
    assert isinstance(got[-1], Heartbeat)
    world.hub_takes()  # its credit
    assert [m.frame_id for m in taken(world.ue[0]) if isinstance(m, SymbolFrame)] == [4, 5, 6, 7]
    assert world.hub.pending_bytes == 0


def test_what_waits_is_bounded(world: World) -> None:
    for n in range(30):
        world.hub.send("ue:0", big(0, n))
    assert world.hub.pending_bytes <= QUEUE
    lost = world.dropped("ce")
    assert lost.keys() == {"queue_overflow"}
    frames = world.book("ce", outcome="offered", klass="private").frames
    world.hub.close()
    assert world.dropped("ce")["queue_overflow"] + world.dropped("ce")["closed"] + frames == 30


def test_quiesced_peers_report_no_credit(world: World) -> None:
    world.ue[0].quiesce()
    for n in range(4):
        world.hub.send("ue:0", big(0, n))
    assert len(taken(world.ue[0])) == 4
    assert world.hub_takes() == []


def test_a_new_hello_opens_the_window_again(world: World) -> None:
    for n in range(8):
        world.hub.send("ue:0", big(0, n))
    world.hub.disconnect("ue:0")
    assert world.dropped("ce") == {"peer_gone": 4}
    world.ue[0].send("ce", hello(user=0))
    world.hub_takes()
    world.hub.send("ue:0", welcome(0, credit_bytes=WINDOW))
    world.hub.send("ue:0", big(0, 99))
    assert [m.frame_id for m in taken(world.ue[0]) if isinstance(m, SymbolFrame)] == [0, 1, 2, 3, 99]


def test_nobody_there(world: World) -> None:
    world.hub.send("ue:7", side_info(user=7))
    world.ue[0].close()
    world.hub.send("ue:0", side_info(user=0))
    assert world.dropped("ce") == {"peer_gone": 2}


def test_a_successor_takes_over_and_the_old_one_can_be_told(world: World) -> None:
    newer = MemoryPeer(world.hub, "ue:0", 1)
    newer.send("ce", feedback(0))  # before it has said hello
    assert world.hub_takes() == []
    newer.send("ce", hello(user=0, incarnation=1))
    assert world.hub_takes() == [("ue:0", hello(user=0, incarnation=1))]
    world.hub.send("ue:0", side_info(user=0))
    assert taken(newer) == [side_info(user=0)]
    assert taken(world.ue[0]) == []

    world.ue[0].send("ce", feedback(0))  # nothing says whose it is but the connection
    assert world.hub_takes() == []
    world.ue[0].send("ce", heartbeat(0, incarnation=0))
    assert world.hub_takes() == [("ue:0", heartbeat(0, incarnation=0))]
    fenced = Refused(user=0, incarnation=0, code="fenced", detail="replaced by 1")
    world.hub.send("ue:0", fenced)
    assert taken(world.ue[0]) == [fenced]
    assert taken(newer) == []
    assert world.dropped("ce") == {"no_hello": 1, "fenced": 1}


def test_our_own_bad_message_is_an_error(world: World) -> None:
    with pytest.raises(LocalProtocolError):
        world.bs.send("ce", Progress(role="bs", user=-1, values={"x": 2**70}))


def test_control_links(tmp_path: Path) -> None:
    with Counters(tmp_path / "agent") as counters:
        hub = MemoryHub(counters, me="agent")
        role = MemoryPeer(hub, "ce", 0)
        hub.send("ce", Command(verb="stop"))
        role.send("agent", Progress(role="ce", user=-1, values={}))
        role.send("agent", heartbeat())  # not on this link
        assert hub.receive_nowait() == ("ce", Progress(role="ce", user=-1, values={}))
        assert hub.receive_nowait() is None
        hub.send("ce", Command(verb="sample"))
        assert role.receive_nowait() == ("agent", Command(verb="sample"))
        role.send("agent", Done(role="ce", user=-1, verb="sample", values={}))
        assert hub.receive_nowait() is not None
        keys = {(k.hop, k.direction, k.klass, k.outcome, k.reason) for k, _ in counters.rows()}
        assert keys == {
            ("agent", "down", "agent", "dropped", "peer_gone"),
            ("agent", "down", "agent", "offered", ""),
            ("agent", "up", "agent", "delivered", ""),
            ("agent", "up", "session", "dropped", "wrong_direction"),
        }


def test_a_damaged_message_is_dropped_by_its_sender_and_its_bytes_are_unknown_at_both_ends(
    world: World,
) -> None:
    sent, errors = symbol_frame(users=(1,)), HeaderErrors(2, 7)
    world.hub.send("ue:1", sent, errors)
    world.hub.send("bs", feedback(1), errors)
    assert taken(world.ue[1]) == taken(world.bs) == []
    for end, peer, message, klass in (
        ("ue-1", "1", sent, "public"),
        ("bs", "", feedback(1), "feedback"),
    ):
        wire = wire_bytes_of(encode(message))
        way = "down" if peer else "up"
        offered = world.book("ce", klass="unknown", outcome="offered", users=peer, direction=way)
        assert offered == Values(frames=1, wire_bytes=wire)
        assert world.book(end, klass="unknown", outcome="dropped", direction=way) == offered
        assert world.book("ce", klass=klass, reason="corrupt_header", users="1").frames == 1
        assert world.book("ce", klass=klass, outcome="offered") == Values()
        assert world.book(end, klass=klass) == Values()


def test_a_damaged_message_that_waits_and_never_leaves_is_dropped_for_that_reason(world: World) -> None:
    large = symbol_frame(users=(0,), payload=bytes(WINDOW), uses=WINDOW // 4)
    for _ in range(3):
        world.hub.send("ue:0", large, HeaderErrors(1, 1))
    assert world.hub.pending_bytes
    world.hub.disconnect("ue:0")
    assert world.dropped("ce") == {"corrupt_header": 1, "peer_gone": 2}
    assert world.book("ce", klass="unknown").frames == 1


def test_bytes_that_cannot_be_read_earn_credit_all_the_same(world: World) -> None:
    large = symbol_frame(users=(0,), payload=bytes(WINDOW // 2), uses=WINDOW // 8)
    for number in range(8):
        world.hub.send("ue:0", large, HeaderErrors(1, number))
        assert taken(world.ue[0]) == []
        world.hub_takes()
    assert world.hub.pending_bytes == 0
    assert world.book("ue-0", klass="unknown").frames == 8
