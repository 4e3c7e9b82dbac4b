"""Links that speak CURVE: who is let in, as whom, and what is refused and counted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import zmq

from shared.keys import KeyPair, PeerKeys, RoleKeys, tagged
from shared.link import ControlHub, ControlPeer, DataHub, DataPeer
from shared.link_curve import make_key_book, make_key_pair, secure_client
from shared.link_types import Link
from shared.wire.codec import encode
from shared.wire.fields import MAX_PAYLOAD_BYTES
from shared.wire.messages import Done
from tests.integration.links import Star, kernel_agrees, take_all, until
from tests.integration.tap import Tap
from tests.unit.shared.samples import answer, feedback, heartbeat, hello, side_info

USERS = 2
CLIENTS_FIRST, HUBS_FIRST = 64 + 202, 64 + 170  # bytes: greeting and HELLO, greeting and WELCOME


@pytest.fixture
async def star(tmp_path: Path) -> AsyncIterator[Star]:
    async with Star(tmp_path, USERS, make_key_book(USERS)) as made:
        yield made


async def serves(star: Star) -> None:
    """The hub still takes from both users and gives to each what is its own; its books are the kernel's."""
    for user in range(USERS):
        peer = star.peers[f"ue:{user}"]
        peer.send("ce", feedback(user))
        assert await star.hub.receive() == (f"ue:{user}", feedback(user))
        star.hub.send(f"ue:{user}", side_info(user=user))
        assert await peer.receive() == ("ce", side_info(user=user))
    await until(lambda: all(kernel_agrees(link) for link in star.links()), star.hub)


async def serves_user_1(star: Star) -> None:
    star.peers["ue:1"].send("ce", heartbeat(1))
    while await star.hub.receive() != ("ue:1", heartbeat(1)):
        pass


def keys_of(star: Star, name: str) -> RoleKeys:
    assert star.keys is not None
    return star.keys.role(name)


@contextlib.contextmanager
def dealer(endpoint: str, identity: bytes, keys: PeerKeys | None) -> "Iterator[zmq.Socket[bytes]]":
    """A socket that says what it likes."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    client = context.socket(zmq.DEALER)
    client.setsockopt(zmq.LINGER, 0)
    if identity:
        client.setsockopt(zmq.IDENTITY, identity)
    if keys is not None:
        secure_client(client, keys)
    client.connect(endpoint)
    try:
        yield client
    finally:
        client.close()
        context.term()


async def test_an_unknown_key_is_refused(star: Star) -> None:
    stranger = PeerKeys(make_key_pair(), keys_of(star, "ue-0").hubs["ce"])
    peer = DataPeer("ue:0", 7, star.hub.endpoint, None, keys=stranger)
    try:
        peer.send("ce", hello(user=0, incarnation=7))
        await until(
            lambda: star.hub.events["lost_stranger"] == 1 and bool(peer.events["unknown_key"]), star.hub, peer
        )
        assert not peer.established
    finally:
        peer.close(0)
    assert star.dropped("ce") == {"unknown_key": 1}
    await serves(star)


@pytest.mark.parametrize(
    "claims", ["another", "another with own tag", "nobody", "untagged", "wrong tag", "the station"]
)
async def test_a_known_key_that_claims_another_id_is_refused_and_takes_nothing(
    star: Star, claims: str
) -> None:
    mine = keys_of(star, "ue-1")
    identity = {
        "another": b"ue-0.0",
        "another with own tag": tagged(b"ue-0.0", mine.own.tag),
        "nobody": b"",
        "untagged": b"ue-1.0",
        "wrong tag": tagged(b"ue-1.0", KeyPair(bytes(32), bytes(32)).tag),
        "the station": tagged(b"bs.0", mine.own.tag),
    }[claims]
    with dealer(star.hub.endpoint, identity, mine.as_peer("ce")) as client:
        client.send_multipart(encode(hello(user=0)))
        client.send_multipart(encode(answer(user=0)))
        await until(lambda: star.dropped("ce") == {"wrong_user_id": 2}, star.hub)
        booked = {(key.hop, key.users, key.reason) for key, v in star.rows("ce") if key.outcome == "dropped"}
        assert booked == {("ce-ue", "1", "wrong_user_id")}  # it is the key's owner who did it
        await serves(star)  # what is for user 0 still goes to user 0
        assert not client.getsockopt(zmq.EVENTS) & zmq.POLLIN
    assert star.dropped("ce") == {"wrong_user_id": 2}


async def test_a_user_who_speaks_in_anothers_name_on_its_own_connection_is_refused(star: Star) -> None:
    star.peers["ue:1"].send("ce", answer(user=0))
    await until(lambda: star.dropped("ce") == {"wrong_source": 1}, star.hub)
    await serves(star)


async def test_who_speaks_no_curve_is_refused(star: Star) -> None:
    with dealer(star.hub.endpoint, b"ue-0.0", None) as client:
        client.send_multipart(encode(feedback(0)))
        await until(lambda: star.hub.events["lost_stranger"] == 1, star.hub)
    assert set(star.dropped("ce")) == {"wrong_mechanism"} or set(star.dropped("ce")) == {"handshake_failed"}
    await serves(star)


async def test_a_hub_without_the_hubs_secret_key_gets_nothing(star: Star) -> None:
    """A guest that was given another public key for the hub, which is what it sees of an impostor."""
    keys = PeerKeys(keys_of(star, "ue-0").own, make_key_pair().public)
    with dealer(star.hub.endpoint, tagged(b"ue-0.0", keys.own.tag), keys) as client:
        client.send_multipart(encode(feedback(0)))
        await until(lambda: star.hub.events["lost_stranger"] >= 1, star.hub)
    assert set(star.dropped("ce")) == {"bad_crypto"}
    await serves(star)


async def test_a_recorded_connection_sent_again_is_refused(star: Star) -> None:
    async with Tap(star.hub.endpoint) as tap:
        peer = star.connect("ue:0", 1, tap.endpoint)
        peer.send("ce", hello(user=0, incarnation=1))
        peer.send("ce", answer(user=0, incarnation=1))
        for _ in range(2):
            await star.hub.receive()
        peer.close()
        recorded = bytes(tap.upward)
    await until(lambda: star.hub.events["lost_peer"] == 1, star.hub)
    assert star.dropped("ce") == {}
    reader, writer = await asyncio.open_connection(*tap.hub)
    writer.write(recorded[:CLIENTS_FIRST])
    await reader.readexactly(HUBS_FIRST)
    writer.write(recorded[CLIENTS_FIRST:])
    await until(lambda: star.hub.events["lost_stranger"] == 1, star.hub)
    writer.close()
    assert star.dropped("ce") == {"bad_crypto": 1}  # the hub's Welcome is another, and so is its cookie


async def test_a_message_that_somebody_on_the_way_repeats_is_not_delivered_again(star: Star) -> None:
    """Nonces only grow. (The connection is of no more use: libzmq closes it or leaves it mute.)"""
    async with Tap(star.hub.endpoint) as tap:
        peer = star.connect("ue:0", 1, tap.endpoint)
        try:
            peer.send("ce", hello(user=0, incarnation=1))
            await star.hub.receive()
            before = len(tap.upward)
            peer.send("ce", answer(user=0, incarnation=1))
            assert await star.hub.receive() == ("ue:0", answer(user=0, incarnation=1))
            await tap.inject(bytes(tap.upward[before:]))
            await until(lambda: bool(star.hub.events["replayed"]), star.hub)
            assert star.dropped("ce") == {"replayed": 1}
            rows = star.rows("ce")
            answers = [v.frames for k, v in rows if (k.klass, k.outcome) == ("feedback", "delivered")]
            assert answers == [1]
        finally:
            peer.close(0)
    await serves_user_1(star)


async def test_a_message_changed_on_the_way_is_never_delivered(star: Star) -> None:
    async with Tap(star.hub.endpoint) as tap:
        peer = star.connect("ue:0", 1, tap.endpoint)
        try:
            peer.send("ce", hello(user=0, incarnation=1))
            await star.hub.receive()
            tap.flip_last_bit = True
            peer.send("ce", answer(user=0, incarnation=1))
            await until(lambda: bool(star.hub.events["bad_crypto"]), star.hub)
            assert set(star.dropped("ce")) == {"bad_crypto"}
            assert "feedback" not in {key.klass for key, _ in star.rows("ce")}
        finally:
            peer.close(0)
    await serves_user_1(star)


async def test_who_listens_reads_neither_ids_nor_words(star: Star) -> None:
    async with Tap(star.hub.endpoint) as tap:
        peer = star.connect("ue:0", 1, tap.endpoint)
        peer.send("ce", hello(user=0, incarnation=1))
        peer.send("ce", answer(user=0, incarnation=1, text="two large cubes"))
        for _ in range(2):
            await star.hub.receive()
        star.hub.send("ue:0", side_info(user=0, payload=b"a map of tokens"))
        await peer.receive()
        peer.close()
        heard = bytes(tap.upward + tap.downward)
    own = keys_of(star, "ue-0").own
    assert b"CURVE" in heard
    for secret in (b"ue-0", b"two large cubes", b"a map of tokens", own.tag, own.public, own.secret):
        assert secret not in heard


async def test_frames_beyond_the_limits_of_a_known_peer(star: Star) -> None:
    """Up to MAXMSGSIZE: read, refused, counted. Above: the connection ends before a byte of it is stored."""
    keys = keys_of(star, "ue-0")
    with dealer(star.hub.endpoint, tagged(b"ue-0.1", keys.own.tag), keys.as_peer("ce")) as client:
        client.send_multipart([bytes(2**20 + 13)])
        await until(lambda: star.dropped("ce") == {"oversize": 1}, star.hub)
        client.send_multipart([encode(side_info())[0], bytes(MAX_PAYLOAD_BYTES + 1)])
        await until(lambda: star.hub.events["lost_peer"] == 1, star.hub)
    assert star.dropped("ce") == {"oversize": 1}
    await serves(star)


async def test_a_restarted_hub_has_its_key_and_its_peers_come_back(star: Star) -> None:
    port = int(star.hub.endpoint.rpartition(":")[2])
    star.hub.close(0)
    star.hub = DataHub(star.counters["ce"], port=port, keys=keys_of(star, "ce").as_hub())
    links: list[Link] = list(star.peers.values())
    await until(lambda: star.hub.events["handshake_succeeded"] == USERS + 1, star.hub, *links)
    star.peers["ue:1"].send("ce", hello(user=1))
    assert await star.hub.receive() == ("ue:1", hello(user=1))


async def test_the_control_links_have_an_allow_list_of_their_own(tmp_path: Path) -> None:
    book = make_key_book(USERS)
    hub = ControlHub(keys=book.agent())
    done = Done(role="ce", user=-1, verb="drain", values={})
    peer = ControlPeer("ce", 0, hub.endpoint, keys=book.role("ce").as_peer("agent"))
    try:
        peer.send("agent", done)
        assert await hub.receive() == ("ce", done)
        with dealer(hub.endpoint, b"ce.0", book.role("ue-1").as_peer("agent")) as client:
            client.send_multipart(encode(done))
            await until(lambda: hub.events["handshake_succeeded"] == 2, hub)
            assert take_all(hub) == []
            hub.send("ce", done)
            assert await peer.receive() == ("agent", done)
            assert not client.getsockopt(zmq.EVENTS) & zmq.POLLIN
    finally:
        peer.close(0)
        hub.close(0)
