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
