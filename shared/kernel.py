"""What the kernel counts for this process's own TCP connections: `TCP_INFO`, Linux only.

`struct tcp_info` only ever grows at its end (include/uapi/linux/tcp.h); the fields below lie at fixed
offsets. Payload bytes that reached the wire once are `bytes_sent - bytes_retrans`.
"""

import os
import socket
import struct
from dataclasses import dataclass

# Offsets in bytes in struct tcp_info: 8 x u8, 24 x u32 (to total_retrans), then the 64-bit fields.
_BYTES_ACKED = 120  # u64, counts the SYN
_BYTES_RECEIVED = 128  # u64
_NOTSENT_BYTES = 144  # u32
_BYTES_SENT = 200  # u64, retransmissions included
_BYTES_RETRANS = 208  # u64
_INFO_BYTES = 216
_FIN_RECEIVED = frozenset({8, 9, 11})  # CLOSE_WAIT, LAST_ACK, CLOSING: the FIN counts as a byte received
_U64 = struct.Struct("=Q")
_U32 = struct.Struct("=I")


@dataclass(frozen=True, slots=True)
class TcpCounters:
    """One TCP connection of this process. Addresses are 'host:port'; all counts are bytes of payload."""

    fd: int
    local: str
    remote: str
    bytes_sent: int
    bytes_retrans: int
    bytes_received: int
    bytes_acked: int
    notsent_bytes: int

    @property
    def bytes_on_wire(self) -> int:
        """Payload bytes sent, each counted once."""
        return self.bytes_sent - self.bytes_retrans


def tcp_counters(fd: int) -> TcpCounters | None:
    """Counters of the connected TCP socket `fd` of this process; None if it is no such thing (any more)."""
    try:
        copy = os.dup(fd)
    except OSError:
        return None
    try:
        sock = socket.socket(fileno=copy)  # finds out family, type and protocol by itself
    except OSError:  # not a socket
        os.close(copy)
        return None
    try:
        with sock:
            if sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type != socket.SOCK_STREAM:
                return None
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            local, remote = sock.getsockname(), sock.getpeername()
    except OSError:  # not connected (any more)
        return None
    if len(info) < _INFO_BYTES:
        return None
    return TcpCounters(
        fd=fd,
        local=f"{local[0]}:{local[1]}",
        remote=f"{remote[0]}:{remote[1]}",
        bytes_sent=_U64.unpack_from(info, _BYTES_SENT)[0],
        bytes_retrans=_U64.unpack_from(info, _BYTES_RETRANS)[0],
        bytes_received=_U64.unpack_from(info, _BYTES_RECEIVED)[0] - (info[0] in _FIN_RECEIVED),
        bytes_acked=_U64.unpack_from(info, _BYTES_ACKED)[0],
        notsent_bytes=_U32.unpack_from(info, _NOTSENT_BYTES)[0],
    )


def tcp_connections() -> list[TcpCounters]:
    """All connected TCP sockets of this process, by descriptor."""
    descriptors = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    found = []
    for fd in descriptors:
        try:
            if not os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                continue
        except OSError:  # the listing's own descriptor, or one closed meanwhile
            continue
        counters = tcp_counters(fd)
        if counters is not None:
            found.append(counters)
    return found
