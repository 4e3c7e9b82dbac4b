"""Bytes that no peer of ours would send: counted, dropped, and the hub serves on."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zmq

from shared.link_socket import FAILURES
from shared.wire.codec import encode
from shared.wire.fields import MAX_PAYLOAD_BYTES
from tests.integration.links import Star, until
from tests.unit.shared.samples import feedback, side_info, symbol_frame

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL" + bytes(16) + b"\x00" + bytes(31)
READY_BODY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x06ue-0.5"
READY = b"\x04" + bytes([len(READY_BODY)]) + READY_BODY


@pytest.fixture
async def star(tmp_path: Path) -> AsyncIterator[Star]:
    async with Star(tmp_path, 1) as made:
        yield made


async def serves(star: Star) -> None:
    """The hub still takes from a user, and gives to it."""
    star.peers["ue:0"].send("ce", feedback(0))
    assert await star.hub.receive() == ("ue:0", feedback(0))
    star.hub.send("ue:0", side_info(user=0))
    assert await star.peers["ue:0"].receive() == ("ce", side_info(user=0))


def connect(star: Star) -> socket.socket:
    host, port = star.hub.endpoint.removeprefix("tcp://").split(":")
    return socket.create_connection((host, int(port)))


def dealer(star: Star, identity: bytes) -> tuple[zmq.Context[zmq.Socket[bytes]], zmq.Socket[bytes]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    client = context.socket(zmq.DEALER)
    if identity:
        client.setsockopt(zmq.IDENTITY, identity)
    client.setsockopt(zmq.LINGER, 0)
    client.connect(star.hub.endpoint)
    return context, client


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
        bytes(200),
        b"\xff" * 200,
        random.Random(1).randbytes(5_000),
        GREETING[:30],
        GREETING + b"\x04\x05\x04JUNK",
        GREETING + b"\x04\x06\x05READY" + b"\x00" * 40,
    ],
    ids=["http", "zeros", "ones", "random", "half a greeting", "no READY", "bad READY"],
)
async def test_raw_garbage_at_the_port(star: Star, data: bytes) -> None:
    with connect(star) as client:
        with contextlib.suppress(OSError):  # the hub may have closed it at the first bytes
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        await until(lambda: bool(star.dropped("ce")), star.hub)
    await serves(star)
    reasons = {*FAILURES, "never_spoke", "unknown_peer"}
    assert set(star.dropped("ce")) <= reasons
    # Random bytes can be ZMTP 1.0, and then even messages, of somebody unknown.
    assert star.dropped("ce").keys() & reasons - {"unknown_peer"}


async def test_a_message_above_the_limit_is_never_read(star: Star) -> None:
    """A claimed length of one byte more than allowed: ZeroMQ closes before a byte of it is stored."""
    with connect(star) as client:
        client.sendall(GREETING + READY + b"\x02" + struct.pack(">Q", MAX_PAYLOAD_BYTES + 1) + b"x" * 100)
        await until(lambda: star.hub.events["lost_stranger"] == 1, star.hub)
    assert star.dropped("ce") == {"never_spoke": 1}
    await serves(star)


async def test_a_truncated_message_is_never_delivered(star: Star) -> None:
    with connect(star) as client:
        client.sendall(GREETING + READY + b"\x02" + struct.pack(">Q", 1_000) + b"x" * 500)
    await until(lambda: star.hub.events["lost_stranger"] == 1, star.hub)
    await serves(star)


async def test_valid_zmtp_with_random_parts(star: Star) -> None:
    rng = random.Random(3)
    context, client = dealer(star, b"ue-0.7")
    try:
        for _ in range(200):
            parts = [rng.randbytes(rng.choice([0, 3, 12, 300])) for _ in range(rng.randint(1, 5))]
            await asyncio.sleep(0)
            client.send_multipart(parts)
        client.send_multipart([bytes(2**20 + 13)])
        client.send_multipart([encode(symbol_frame())[0][:-1], b"payload"])
        client.send_multipart([encode(feedback(0))[0], b"a part too many"])
        await until(lambda: sum(star.dropped("ce").values()) == 203, star.hub)
        assert {"bad_parts", "bad_magic", "truncated", "oversize"} == set(star.dropped("ce"))
        await serves(star)
    finally:
        client.close()
        context.term()


@pytest.mark.parametrize("identity", [b"", b"mallory", b"ue-x.1", b"ce.0", b"ue-0"])
async def test_strangers_with_valid_messages(star: Star, identity: bytes) -> None:
    context, client = dealer(star, identity)
    try:
        client.send_multipart(encode(feedback(0)))
        await until(lambda: star.dropped("ce") == {"unknown_peer": 1}, star.hub)
        await serves(star)
    finally:
        client.close()
        context.term()


async def test_a_hub_that_talks_rubbish(tmp_path: Path) -> None:
    from shared.ledger import Counters
    from shared.link import DataPeer

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with Counters(tmp_path / "c") as counters:
        peer = DataPeer("ue:0", 0, f"tcp://127.0.0.1:{port}", counters)
        try:
            peer.send("ce", feedback(0))
            await until(lambda: bool(router.getsockopt(zmq.EVENTS) & zmq.POLLIN), peer)
            identity = router.recv_multipart()[0]
            router.send_multipart([identity, b"rubbish"])
            router.send_multipart([identity, *encode(side_info(user=5))])
            router.send_multipart([identity, *encode(side_info(user=0))])
            assert await peer.receive() == ("ce", side_info(user=0))
            reasons = sorted(key.reason for key, _ in counters.rows() if key.outcome == "dropped")
            assert reasons == ["truncated", "wrong_user"]
        finally:
            peer.close()
            router.close(linger=0)
            context.term()
