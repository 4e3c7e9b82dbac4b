"""The formulas against ZMTP 3.1 written out by hand; against the kernel in tests/integration."""

import pytest

from shared.wire.framing import (
    connection_wire_bytes,
    message_wire_bytes,
    part_wire_bytes,
    ready_wire_bytes,
)


@pytest.mark.parametrize(("size", "wire"), [(0, 2), (1, 3), (255, 257), (256, 265), (65_536, 65_545)])
def test_part(size: int, wire: int) -> None:
    assert part_wire_bytes(size) == wire


def test_message() -> None:
    assert message_wire_bytes([10, 300]) == 12 + 309


@pytest.mark.parametrize(
    ("kind", "identity"), [("ROUTER", b""), ("DEALER", b"ue-3.0"), ("DEALER", b"x" * 230)]
)
def test_ready(kind: str, identity: bytes) -> None:
    body = b"\x05READY" + b"\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind.encode()
    body += b"\x08Identity" + len(identity).to_bytes(4, "big") + identity
    command = b"\x04" + bytes([len(body)]) if len(body) < 256 else b"\x06" + len(body).to_bytes(8, "big")
    assert ready_wire_bytes(kind, identity) == len(command + body)
    assert connection_wire_bytes(kind, identity) == 64 + len(command + body)


@pytest.mark.parametrize(
    ("size", "wire"), [(0, 35), (1, 36), (222, 257), (223, 265), (255, 297), (65_536, 65_578)]
)
def test_part_under_curve(size: int, wire: int) -> None:
    """A MESSAGE command of CurveZMQ: 8 bytes of name, 8 of nonce, a box of MAC (16), flags (1), part."""
    assert part_wire_bytes(size, curve=True) == wire
    assert message_wire_bytes([size, 10], curve=True) == wire + 45


@pytest.mark.parametrize("identity", [b"", b"ue-3.0", b"ue-65535.12345678.0123456789abcdef"])
def test_curve_handshake(identity: bytes) -> None:
    """Sizes by RFC 26 (https://rfc.zeromq.org/spec/26/), field by field."""
    own = b"\x0bSocket-Type" + bytes(4) + b"DEALER" + b"\x08Identity" + bytes(4) + identity
    hello = len(b"\x05HELLO") + 2 + 72 + 32 + 8 + 80
    initiate = len(b"\x08INITIATE") + 96 + 8 + 16 + 32 + 96 + len(own)  # in the box: MAC, key, vouch
    assert connection_wire_bytes("DEALER", identity, curve=True) == 64 + (2 + hello) + (9 + initiate)
    theirs = b"\x0bSocket-Type" + bytes(4) + b"ROUTER" + b"\x08Identity" + bytes(4)
    welcome = len(b"\x07WELCOME") + 16 + 144
    ready = len(b"\x05READY") + 8 + 16 + len(theirs)
    assert connection_wire_bytes("ROUTER", curve=True) == 64 + (2 + welcome) + (2 + ready)
