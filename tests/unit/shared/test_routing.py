import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing import (
    fault_of_receiver,
    fault_of_source,
    parse_routing_id,
    peer_name,
    routing_id,
    user_of_peer,
)
from tests.unit.shared.samples import answer, feedback, heartbeat, hello, side_info, symbol_frame, welcome


@given(st.sampled_from(["bs", "ce", "ue"]), st.integers(0, 65_535), st.integers(0, 2**62))
def test_ids_and_back(role: str, user: int, incarnation: int) -> None:
    peer = peer_name(role, user)
    assert parse_routing_id(routing_id(peer, incarnation)) == (peer, incarnation)
    assert user_of_peer(peer) == (user if role == "ue" else -1)


@given(st.binary(max_size=80))
def test_foreign_ids(identity: bytes) -> None:
    known = parse_routing_id(identity)
    assert known is None or routing_id(*known) == identity


@pytest.mark.parametrize(
    "identity",
    [
        b"",
        b"bs",
        b"ue.1",
        b"ue-1",
        b"ue-.1",
        b"ue-01.1",
        b"ue-1.01",
        b"ue-1.1.1",
        b"ue--1.1",
        b"bs-1.1",
        b"xx.1",
    ],
)
def test_malformed_ids(identity: bytes) -> None:
    assert parse_routing_id(identity) is None


def test_who_may_say_what_to_the_hub() -> None:
    assert fault_of_source("ue:0", 0, hello()) is None
    assert fault_of_source("ue:1", 0, hello()) == "wrong_source"
    assert fault_of_source("ue:0", 1, hello()) == "wrong_source"
    assert fault_of_source("bs", 0, hello()) == "wrong_source"
    assert fault_of_source("bs", 0, hello("bs", -1)) is None
    assert fault_of_source("bs", 0, heartbeat(user=3)) == "wrong_source"
    assert fault_of_source("bs", 0, side_info(user=3)) is None
    assert fault_of_source("ue:3", 0, side_info(user=3)) == "wrong_direction"
    assert fault_of_source("ue:3", 0, feedback(user=3)) is None
    assert fault_of_source("ue:3", 0, feedback(user=4)) == "wrong_source"
    assert fault_of_source("ue:3", 0, answer(user=3, incarnation=1)) == "wrong_source"
    assert fault_of_source("bs", 0, feedback(user=3)) == "wrong_direction"


def test_what_a_peer_may_take() -> None:
    assert fault_of_receiver("ue:0", welcome()) is None
    assert fault_of_receiver("ue:1", welcome()) == "wrong_user"
    assert fault_of_receiver("ue:1", symbol_frame(users=(1,))) is None
    assert fault_of_receiver("ue:1", symbol_frame(users=(1, 2))) == "wrong_user"
    assert fault_of_receiver("ue:1", answer(user=1)) == "wrong_direction"
    assert fault_of_receiver("bs", answer(user=1)) is None
    assert fault_of_receiver("bs", side_info()) == "wrong_direction"
