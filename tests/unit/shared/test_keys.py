"""Who gets which key, and an allow-list's decisions."""

import json

import pytest

from shared.keys import AllowList, Guest, KeyBook, KeyPair, RoleKeys, key_names, tagged


def pair(number: int) -> KeyPair:
    """Not on the curve: nothing here computes with keys."""
    return KeyPair(bytes([number] * 32), bytes([128 + number] * 32))


NAMES = key_names(3)
PAIRS = {name: pair(n) for n, name in enumerate(NAMES)}
BOOK = KeyBook(PAIRS)


def request(key: bytes, **changes: bytes) -> list[bytes]:
    fields = {
        "version": b"1.0", "id": b"7", "domain": b"m4sc", "address": b"127.0.0.1", "identity": b"",
        "mechanism": b"CURVE", "key": key,
    }  # fmt: skip
    return list((fields | changes).values())


def test_the_names_of_a_run() -> None:
    assert NAMES == ["agent", "bs", "ce", "ue-0", "ue-1", "ue-2"]


@pytest.mark.parametrize("name", ["bs", "ue-1"])
def test_a_peer_is_given_its_own_secret_and_no_guest_list(name: str) -> None:
    keys = BOOK.role(name)
    assert keys.own == PAIRS[name]
    assert keys.hubs == {"agent": PAIRS["agent"].public, "ce": PAIRS["ce"].public}
    assert keys.guests == {}


def test_the_emulator_lets_in_station_and_users_and_the_agent_all_roles() -> None:
    emulator = BOOK.role("ce")
    assert emulator.hubs == {"agent": PAIRS["agent"].public}
    assert set(emulator.as_hub().guests) == {"bs", "ue-0", "ue-1", "ue-2"}
    assert set(BOOK.agent().guests) == {"bs", "ce", "ue-0", "ue-1", "ue-2"}
    assert emulator.guests["bs"] == Guest(PAIRS["bs"].public, PAIRS["bs"].tag)


def test_no_role_is_given_anothers_secret() -> None:
    for name in NAMES[1:]:
        given = json.dumps(BOOK.role(name).to_map())
        for other, keys in PAIRS.items():
            assert (keys.secret.hex() in given) == (other == name)


@pytest.mark.parametrize("name", NAMES[1:])
def test_what_goes_through_a_pipe_comes_out_the_same(name: str) -> None:
    keys = BOOK.role(name)
    assert RoleKeys.from_map(json.loads(json.dumps(keys.to_map()))) == keys


def test_secrets_are_not_shown() -> None:
    shown = repr((BOOK.role("ce"), BOOK.agent(), BOOK.role("ue-0").as_peer("ce")))
    for keys in PAIRS.values():
        for secret in (keys.secret, keys.tag):
            assert repr(secret) not in shown


def test_a_tag_is_the_secrets_alone_and_fits_into_a_routing_id() -> None:
    assert len({keys.tag for keys in PAIRS.values()}) == len(PAIRS)
    assert pair(1).tag == pair(1).tag
    assert len(pair(1).tag) == 16
    assert int(pair(1).tag, 16) >= 0


def test_a_known_key_is_answered_with_its_name() -> None:
    allowed = AllowList(BOOK.agent().guests)
    for name in NAMES[1:]:
        assert allowed.reply(request(PAIRS[name].public)) == [b"1.0", b"7", b"200", b"OK", name.encode(), b""]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(pair(99).public), b"400"),
        (request(PAIRS["ce"].public), b"400"),  # the emulator is no guest of its own
        (request(PAIRS["agent"].public), b"400"),
        (request(PAIRS["bs"].secret), b"400"),
        (request(PAIRS["bs"].public[:31]), b"500"),
        (request(PAIRS["bs"].public, version=b"2.0"), b"500"),
        (request(PAIRS["bs"].public, mechanism=b"NULL"), b"500"),
        (request(PAIRS["bs"].public)[:6], b"500"),
        ([*request(PAIRS["bs"].public), b"more"], b"500"),
        ([b"1.0"], b"500"),
        ([], b"500"),
    ],
)
def test_everybody_else_is_refused(asked: list[bytes], status: bytes) -> None:
    reply = AllowList(BOOK.role("ce").guests).reply(asked)
    assert len(reply) == 6
    assert reply[2] == status
    assert reply[4] == b""


def test_a_guest_is_admitted_under_its_own_ids_only() -> None:
    allowed = AllowList(BOOK.role("ce").guests)
    mine, theirs = PAIRS["ue-1"].tag, PAIRS["ue-2"].tag
    assert allowed.admitted(tagged(b"ue-1.0", mine), "ue-1") == b"ue-1.0"
    assert allowed.admitted(tagged(b"ue-1.17", mine), "ue-1") == b"ue-1.17"
    for claimed in (
        b"", b"ue-1.0", mine, tagged(b"ue-1.0", theirs), tagged(b"ue-2.0", mine), tagged(b"ue-2.0", theirs),
        tagged(b"ue-10.0", mine), tagged(b"ue-1", mine), tagged(b"bs.0", mine), b"\xff." + mine,
        tagged(b"ue-1.0", mine[:-1]), tagged(b"ue-1.0", mine.upper() + b"x"), tagged(b"ue-1.0", b"\xff" * 16),
    ):  # fmt: skip
        assert allowed.admitted(claimed, "ue-1") is None, claimed
    assert allowed.admitted(tagged(b"ue-1.0", mine), "") is None
    assert allowed.admitted(tagged(b"ue-7.0", mine), "ue-7") is None


def test_the_hub_finds_a_guest_under_its_tag() -> None:
    allowed = AllowList(BOOK.role("ce").guests)
    address = allowed.address(b"ue-1.4")
    assert address == b"ue-1.4." + PAIRS["ue-1"].tag
    assert allowed.admitted(address, "ue-1") == b"ue-1.4"
    assert allowed.address(b"ue-7.0") == b"ue-7.0"


def test_of_roles_on_other_hosts_only_what_hubs_must_know_is_learnt() -> None:
    here, there = KeyBook(PAIRS), KeyBook({name: pair(50 + n) for n, name in enumerate(NAMES)})
    told = there.introduce(["ue-1"])
    here.learn(told)
    there.learn(here.introduce(["bs", "ce"]))
    user = there.role("ue-1")
    assert user.hubs == {"agent": pair(50).public, "ce": PAIRS["ce"].public}
    assert here.role("ce").guests["ue-1"] == Guest(user.own.public, user.own.tag)
    assert here.role("ce").guests["ue-2"].public == PAIRS["ue-2"].public
    assert user.own.secret not in repr(told).encode()
    assert not hasattr(told["ue-1"], "secret")
