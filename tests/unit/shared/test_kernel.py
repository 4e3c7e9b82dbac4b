import os
import socket

from shared.kernel import tcp_connections, tcp_counters


def receive(connection: socket.socket, n: int) -> None:
    while n > 0:
        n -= len(connection.recv(n))


def test_counts_what_was_sent() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        accepted, _ = server.accept()
        with accepted:
            client.sendall(bytes(12_345))
            receive(accepted, 12_345)
            accepted.sendall(bytes(67))
            receive(client, 67)
            client.shutdown(socket.SHUT_WR)
            assert accepted.recv(1) == b""  # the FIN, which is not a byte
            found = {c.fd: c for c in tcp_connections()}
            ours, theirs = found[client.fileno()], found[accepted.fileno()]
            assert (ours.bytes_on_wire, ours.bytes_received) == (12_345, 67)
            assert (theirs.bytes_on_wire, theirs.bytes_received) == (67, 12_345)
            assert (ours.local, ours.remote) == (theirs.remote, theirs.local)
            assert server.fileno() not in found  # it listens, it is no connection
        assert tcp_counters(server.fileno()) is None


def test_other_descriptors_are_none_and_nothing_leaks() -> None:
    before = len(os.listdir("/proc/self/fd"))
    reader, writer = os.pipe()
    left, right = socket.socketpair()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, left, right:
        for fd in (reader, left.fileno(), datagrams.fileno(), 1_000_000, -1):
            assert tcp_counters(fd) is None
    os.close(reader)
    os.close(writer)
    tcp_connections()
    assert len(os.listdir("/proc/self/fd")) == before
