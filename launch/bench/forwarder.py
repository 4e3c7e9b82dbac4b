"""A star without an emulator in its middle: what the base station sends goes to every user, untouched.

The reference of `sockets` and `request`, and the one place beside the links that opens a ZeroMQ socket.
"""

from multiprocessing.connection import Connection

import zmq

STATION = b"bs."
"""How a base station's routing id begins (`shared.routing`)."""


def forward(users: int, parent: Connection) -> None:
    """Until the parent closes its end. Says its endpoint to the parent, and then that all have come.

    Of messages the routing id is read and nothing else: the first of each peer (its greeting) stays here,
    further ones of the base station go to all users, those of users to the base station.
    """
    context = zmq.Context()
    socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    parent.send(f"tcp://127.0.0.1:{port}")
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(parent.fileno(), zmq.POLLIN)
    known: dict[bytes, None] = {}
    while parent.fileno() not in dict(poller.poll()):
        sender, *parts = socket.recv_multipart(copy=False)
        identity = sender.bytes
        if identity not in known:
            known[identity] = None
            if len(known) == users + 1:
                parent.send("all")
            continue
        for other in known:
            if other.startswith(STATION) != identity.startswith(STATION):
                socket.send_multipart([other, *parts], copy=False)
    socket.close()
    context.term()
