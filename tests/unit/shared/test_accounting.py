import random

import pytest

from shared.accounting import CLASSES, class_of, portions, wire_bytes
from shared.ledger_rows import parse_users
from shared.link_types import sizes_of, wire_bytes_of
from shared.wire.codec import encode
from shared.wire.messages import Message
from tests.unit.shared.samples import answer, every_message, feedback, side_info, symbol_frame


@pytest.mark.parametrize("message", every_message(), ids=lambda m: m.KIND)
def test_portions_add_up_to_the_message(message: Message) -> None:
    parts = encode(message)
    sizes = sizes_of(parts)
    found = portions(message, sizes.header, sizes.payload)
    assert sum(p.frames for p in found) == 1
    assert sum(p.wire_bytes for p in found) == wire_bytes_of(parts)
    assert wire_bytes(message, sizes.header, sizes.payload) == wire_bytes_of(parts)
    assert sum(p.header_bytes for p in found) == len(parts[0])
    assert sum(p.payload_bytes for p in found) == (len(parts[1]) if len(parts) > 1 else 0)
    assert all(p.klass in CLASSES and p.klass != "unknown" for p in found)


def test_a_frame_is_its_stream_and_its_pilots() -> None:
    frame = symbol_frame(users=(0, 1, 2, 5), attempt=1)  # 10 uses of 4 bytes, 2 of them pilots
    stream, pilots = portions(frame, header_bytes=300, payload_bytes=40)
    assert (stream.klass, stream.purpose, stream.users) == ("public", "retransmission", "0-2,5")
    assert (stream.frames, stream.payload_bytes, stream.header_bytes) == (1, 32, 300)
    assert (stream.uses, stream.energy, stream.wire_bytes) == (8, 8.0, 309 + 42 - 8)
    assert (pilots.klass, pilots.users, pilots.frames) == ("pilots", "0-2,5", 0)
    assert (pilots.payload_bytes, pilots.header_bytes, pilots.wire_bytes) == (8, 0, 8)
    assert (pilots.uses, pilots.energy) == (2, 2.0)


def test_a_frame_without_pilots_is_one_portion() -> None:
    (only,) = portions(symbol_frame(pilot_uses=0, stream="private", users=(3,)), 100, 40)
    assert (only.klass, only.users, only.uses) == ("private", "3", 10)


def test_a_frame_that_claims_more_pilots_than_it_has() -> None:
    found = portions(symbol_frame(pilot_uses=65_535, uses=3, energy=1.0), 100, 12)
    assert all(min(p.payload_bytes, p.uses, p.energy, p.wire_bytes) >= 0 for p in found)


def test_a_ragged_set_of_users_is_split_exactly() -> None:
    users = tuple(random.Random(1).sample(range(65_536), 1_000))
    found = portions(symbol_frame(users=users), header_bytes=5_001, payload_bytes=40)
    assert all(len(p.users) <= 384 for p in found)
    assert sorted(u for p in found if p.klass == "public" for u in parse_users(p.users)) == sorted(users)
    assert sum(p.frames for p in found) == 1
    assert sum(p.wire_bytes for p in found) == 5_010 + 42
    assert sum(p.uses for p in found) == 10
    assert sum(p.energy for p in found) == pytest.approx(10.0)


def test_classes_and_purposes() -> None:
    assert {class_of(m) for m in every_message()} == set(CLASSES) - {"private", "pilots", "unknown"}
    (side,) = portions(side_info(attempt=2), 50, 3)
    assert (side.klass, side.purpose, side.uses, side.energy) == ("side", "retransmission", 80, 80.0)
    assert portions(feedback(), 50, 0)[0].purpose == "first"
    assert portions(answer(attempt=1), 50, 0)[0].purpose == "retransmission"
