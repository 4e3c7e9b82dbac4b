"""The ledger against the kernel: every byte of every connection, both ways."""

import random
from pathlib import Path

import pytest

from shared.kernel import tcp_connections, tcp_counters
from shared.keys import KeyBook
from shared.link import DataHub, DataPeer
from shared.link_curve import make_key_book, make_key_pair
from shared.wire.fields import MAX_PAYLOAD_BYTES
from shared.wire.framing import connection_wire_bytes
from shared.wire.messages import Bye, Cancel, Message, PeerState, SymbolFrame
from tests.integration.links import Star, kernel_agrees, take_all, until
from tests.unit.shared.samples import answer, feedback, heartbeat, hello, side_info, symbol_frame

USERS = 3


BOTH = pytest.mark.parametrize("curve", [False, True], ids=["null", "curve"])


def downlink(rng: random.Random, n: int) -> Message:
    user = rng.randrange(USERS)
    size = 4 * rng.choice([1, 50, 56, 500, 5_000, 30_000])
    frame = {"frame_id": n, "uses": size // 4, "payload": rng.randbytes(size), "attempt": rng.randrange(2)}
    return rng.choice(
        [
            symbol_frame(users=tuple(range(USERS)), **frame),
            symbol_frame(stream="private", users=(user,), pilot_uses=0, **frame),
            side_info(user=user, payload=rng.randbytes(rng.randrange(300))),
            Cancel(user=user, request_id="r1", reason="expired"),
        ]
    )


def uplink(rng: random.Random, user: int) -> Message:
    return rng.choice(
        [
            feedback(user, missing_frames=tuple(range(rng.randrange(100))), complete=False),
            answer(user, text="x" * rng.randrange(4_096), attempt=rng.randrange(2)),
            heartbeat(user),
        ]
    )


@BOTH
async def test_a_few_hundred_messages_of_all_classes_equal_the_kernel_to_the_byte(
    tmp_path: Path, curve: bool
) -> None:
    rng = random.Random(7)
    async with Star(tmp_path, USERS, make_key_book(USERS) if curve else None) as star:
        hub, peers = star.hub, star.peers
        for n in range(300):
            peers["bs"].send("ce", downlink(rng, n))
            peers[f"ue:{n % USERS}"].send("ce", uplink(rng, n % USERS))
        relayed = 0
        while relayed < 600:
            source, message = await hub.receive()
            if message.KIND == "credit":
                continue
            relayed += 1
            if message.KIND == "heartbeat":
                hub.send("bs", PeerState(user=0, incarnation=0, state="attached", snr_db=1.0))
            elif source != "bs":
                hub.send("bs", message)
            elif isinstance(message, SymbolFrame):
                for user in message.users:
                    copy = symbol_frame(users=(user,), stream=message.stream, payload=bytes(message.payload))
                    hub.send(f"ue:{user}", copy)
            else:
                hub.send(f"ue:{message.user}", message)  # type: ignore[attr-defined]
            for peer in peers.values():
                take_all(peer)

        def settled() -> bool:
            return not hub.pending_bytes and all(kernel_agrees(link) for link in star.links())

        await until(settled, *star.links())
        assert len(hub.connections()) == USERS + 1

        # The counter files, not the link's own memory, against TCP_INFO found through /proc.
        port = hub.endpoint.rpartition(":")[2]
        mine = [c for c in tcp_connections() if c.local.endswith(f":{port}")]
        theirs = [c for c in tcp_connections() if c.remote.endswith(f":{port}")]
        assert (len(mine), len(theirs)) == (USERS + 1, USERS + 1)
        assert sum(c.bytes_on_wire for c in mine) == star.wire("ce", "offered")
        assert sum(c.bytes_received for c in mine) == star.wire("ce", "delivered")
        assert star.wire("ce", "dropped") == 0
        for name, peer in peers.items():
            (connection,) = peer.connections()
            kernel = tcp_counters(connection.fd)
            assert kernel is not None
            assert kernel.bytes_on_wire == star.wire(name, "offered")
            assert kernel.bytes_received == star.wire(name, "delivered")
            if name != "bs":
                user = name[3:]
                assert kernel.bytes_received == star.wire("ce", "offered", user, "ce-ue")
                assert kernel.bytes_on_wire == star.wire("ce", "delivered", user, "ce-ue")
        assert star.wire("bs", "offered") == star.wire("ce", "delivered", hop="bs-ce")
        assert star.wire("ce", "offered", hop="bs-ce") == star.wire("bs", "delivered")


@BOTH
async def test_the_greeting_and_handshake_formulas(tmp_path: Path, curve: bool) -> None:
    """Nothing but one Bye crosses: all else is ZMTP's own."""
    pairs = KeyBook({name: make_key_pair() for name in ("ce", "agent", "ue-65535")})
    for incarnation in (0, 12_345_678):
        hub, peer = DataHub(None, keys=pairs.role("ce").as_hub() if curve else None), None
        try:
            keys = pairs.role("ue-65535").as_peer("ce") if curve else None
            peer = DataPeer("ue:65535", incarnation, hub.endpoint, None, keys=keys)
            peer.send("ce", Bye(user=65_535, incarnation=incarnation))
            await hub.receive()
            await until(lambda: kernel_agrees(hub) and kernel_agrees(peer), peer)  # type: ignore[arg-type]  # noqa: B023
            (connection,) = hub.connections()
            kernel = tcp_counters(connection.fd)
            assert kernel is not None
            assert kernel.bytes_on_wire == connection_wire_bytes("ROUTER", curve=curve)
        finally:
            hub.close()
            if peer is not None:
                peer.close()


@BOTH
async def test_payloads_around_the_long_frame_limit_up_to_the_largest(tmp_path: Path, curve: bool) -> None:
    """Frames are long above 255 bytes, those of CURVE above 222; the largest payload passes under both."""
    async with Star(tmp_path, 1, make_key_book(1) if curve else None) as star:
        station, user = star.peers["bs"], star.peers["ue:0"]
        for size in (0, 1, 200, 221, 222, 223, 254, 255, 256, 65_536, 65_537, MAX_PAYLOAD_BYTES):
            message = side_info(user=0, payload=bytes(size))
            station.send("ce", message)
            assert await star.hub.receive() == ("bs", message)
            star.hub.send("ue:0", message)
            assert await user.receive() == ("ce", message)
            await until(lambda: all(kernel_agrees(link) for link in star.links()), star.hub)
        assert star.dropped("ce") == {}


@BOTH
async def test_a_reconnected_peer_is_booked_again(tmp_path: Path, curve: bool) -> None:
    async with Star(tmp_path, 1, make_key_book(1) if curve else None) as star:
        first = star.peers["ue:0"]
        first.close()
        await until(lambda: star.hub.events["lost_peer"] == 1, star.hub)
        again = star.peers["ue:0"] = star.connect("ue:0")
        again.send("ce", hello(user=0))
        await star.hub.receive()
        star.hub.send("ue:0", side_info(user=0))
        assert (await again.receive())[1] == side_info(user=0)
        await until(lambda: kernel_agrees(star.hub) and kernel_agrees(again), star.hub)
        overhead = connection_wire_bytes("DEALER", b"ue-0.0", curve)
        hellos = 2 * (star.wire("ce", "delivered", "0", "ce-ue") // 2)
        assert hellos == star.wire("ce", "delivered", "0", "ce-ue")  # two equal connections
        assert hellos > 2 * overhead


@BOTH
@pytest.mark.timeout(60)
async def test_a_successor_and_its_frozen_predecessor(tmp_path: Path, curve: bool) -> None:
    """Both connections live side by side: no handover war, and the older one can be addressed."""
    async with Star(tmp_path, 1, make_key_book(1) if curve else None) as star:
        old = star.peers["ue:0"]
        new = star.connect("ue:0", 1)
        try:
            new.send("ce", hello(user=0, incarnation=1))
            assert (await star.hub.receive())[1] == hello(user=0, incarnation=1)
            star.hub.send("ue:0", side_info(user=0))
            assert (await new.receive())[1] == side_info(user=0)
            old.send("ce", feedback(0))
            old.send("ce", heartbeat(0, incarnation=0))
            assert (await star.hub.receive())[1] == heartbeat(0, incarnation=0)
            star.hub.send("ue:0", heartbeat(0, incarnation=0))
            assert (await old.receive())[1] == heartbeat(0, incarnation=0)
            assert star.dropped("ce") == {"fenced": 1}
            assert star.hub.events["disconnected"] == 0
        finally:
            new.close()
