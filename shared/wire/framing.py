"""How many bytes a message takes on a TCP connection: ZMTP 3.1 framing, mechanism NULL or CURVE.

A connection costs, each way, a greeting of 64 bytes and the handshake: NULL one READY command; CURVE HELLO
and INITIATE from the client (the DEALER), WELCOME and READY from the server (the ROUTER). A frame of n bytes
costs n + 2 (n <= 255) or n + 9; under CURVE a message part is sealed first and is then a frame of n + 33. The
routing id that a ROUTER puts before a message never crosses the wire.
Source: ZMTP 3.1 (https://rfc.zeromq.org/spec/37/), sections 3.2 (framing) and 3.4.1 (NULL); CURVE by CurveZMQ
(https://rfc.zeromq.org/spec/26/) and libzmq's `curve_mechanism_base.cpp`; both measured against the kernel's
counters in `tests/integration/test_link_kernel.py`.
"""

from collections.abc import Iterable

GREETING_BYTES = 64
CURVE_PART_OVERHEAD = 33  # b"\x07MESSAGE", nonce of 8, MAC of 16, and one byte of flags inside the box
_SHORT_MAX = 255
_SHORT_OVERHEAD = 2  # flags, one byte of length
_LONG_OVERHEAD = 9  # flags, eight bytes of length
_CURVE_HELLO = 200
_CURVE_WELCOME = 168
_CURVE_INITIATE = 257  # and the metadata: its box holds key, vouch and metadata
_CURVE_READY = 30  # and the metadata: b"\x05READY", nonce of 8, MAC of 16


def part_wire_bytes(size: int, curve: bool = False) -> int:
    """Bytes on the wire of one message part of `size` bytes."""
    return _frame_wire_bytes(size + CURVE_PART_OVERHEAD if curve else size)


def message_wire_bytes(sizes: Iterable[int], curve: bool = False) -> int:
    """Bytes on the wire of a message of parts of these sizes."""
    return sum(part_wire_bytes(size, curve) for size in sizes)


def ready_wire_bytes(socket_type: str, routing_id: bytes = b"") -> int:
    """Bytes of the READY command of a DEALER or ROUTER under NULL."""
    return _frame_wire_bytes(1 + len("READY") + _metadata_bytes(socket_type, routing_id))


def curve_handshake_wire_bytes(socket_type: str, routing_id: bytes = b"") -> int:
    """Bytes of the two commands of a CURVE handshake: from a DEALER as client or a ROUTER as server."""
    first, second = (
        (_CURVE_WELCOME, _CURVE_READY) if socket_type == "ROUTER" else (_CURVE_HELLO, _CURVE_INITIATE)
    )
    return _frame_wire_bytes(first) + _frame_wire_bytes(second + _metadata_bytes(socket_type, routing_id))


def connection_wire_bytes(socket_type: str, routing_id: bytes = b"", curve: bool = False) -> int:
    """What one end sends before the first message: greeting and handshake."""
    handshake = curve_handshake_wire_bytes if curve else ready_wire_bytes
    return GREETING_BYTES + handshake(socket_type, routing_id)


def _frame_wire_bytes(size: int) -> int:
    """Of a message or command frame with a body of `size` bytes."""
    return size + (_SHORT_OVERHEAD if size <= _SHORT_MAX else _LONG_OVERHEAD)


def _metadata_bytes(socket_type: str, routing_id: bytes) -> int:
    """Socket-Type and Identity; libzmq sends Identity for these types even when the routing id is empty."""
    return _property("Socket-Type", len(socket_type)) + _property("Identity", len(routing_id))


def _property(name: str, value_bytes: int) -> int:
    return 1 + len(name) + 4 + value_bytes
