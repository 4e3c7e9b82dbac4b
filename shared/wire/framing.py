"""How many bytes a message takes on a TCP connection: ZMTP 3.1 framing, NULL mechanism.

A connection costs, each way, a greeting of 64 bytes and one READY command; a message part of n bytes costs
n + 2 (n <= 255) or n + 9. The routing id that a ROUTER puts before a message never crosses the wire.
Source: ZMTP 3.1 (https://rfc.zeromq.org/spec/37/), sections 3.2 (framing) and 3.4.1 (NULL); measured against
the kernel's counters in `tests/integration/test_link_kernel.py`.
"""

from collections.abc import Iterable

GREETING_BYTES = 64
_SHORT_MAX = 255
_SHORT_OVERHEAD = 2  # flags, one byte of length
_LONG_OVERHEAD = 9  # flags, eight bytes of length


def part_wire_bytes(size: int) -> int:
    """Bytes on the wire of one message part (or command body) of `size` bytes."""
    return size + (_SHORT_OVERHEAD if size <= _SHORT_MAX else _LONG_OVERHEAD)


def message_wire_bytes(sizes: Iterable[int]) -> int:
    """Bytes on the wire of a message of parts of these sizes."""
    return sum(part_wire_bytes(size) for size in sizes)


def ready_wire_bytes(socket_type: str, routing_id: bytes = b"") -> int:
    """Bytes of the READY command of a DEALER or ROUTER: the properties Socket-Type and Identity.

    libzmq sends Identity for these types even when the routing id is empty.
    """
    body = (
        1 + len("READY") + _property("Socket-Type", len(socket_type)) + _property("Identity", len(routing_id))
    )
    return part_wire_bytes(body)


def connection_wire_bytes(socket_type: str, routing_id: bytes = b"") -> int:
    """What one end sends before the first message: greeting and READY."""
    return GREETING_BYTES + ready_wire_bytes(socket_type, routing_id)


def _property(name: str, value_bytes: int) -> int:
    return 1 + len(name) + 4 + value_bytes
