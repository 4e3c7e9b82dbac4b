"""Helpers for tests over real TCP connections."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.kernel import tcp_counters
from shared.keys import KeyBook
from shared.ledger import Counters, LedgerRow
from shared.link import DataHub, DataPeer
from shared.link_types import Link
from shared.routing import end_name
from shared.wire.messages import Message
from tests.unit.shared.samples import hello, welcome

CREDIT = 2**20


class Star:
    """A hub, a base station and users, connected and welcomed; each with counters of its own.

    `keys`: None, or all of the run's: then the links speak CURVE.
    """

    def __init__(self, folder: Path, users: int, keys: KeyBook | None = None) -> None:
        names = ["ce", "bs", *(f"ue:{u}" for u in range(users))]
        self.counters = {name: Counters(folder / name.replace(":", "-")) for name in names}
        self.keys = keys
        hub_keys = None if keys is None else keys.role("ce").as_hub()
        self.hub = DataHub(self.counters["ce"], credit_bytes=CREDIT, keys=hub_keys)
        self.peers = {name: self.connect(name) for name in names if name != "ce"}

    def connect(self, name: str, incarnation: int = 0, endpoint: str = "") -> DataPeer:
        """A peer of this name with its own key and counters; by way of `endpoint`, else straight."""
        keys = None if self.keys is None else self.keys.role(end_name(name)).as_peer("ce")
        return DataPeer(name, incarnation, endpoint or self.hub.endpoint, self.counters[name], keys=keys)

    async def __aenter__(self) -> Self:
        for name, peer in self.peers.items():
            user = int(name[3:]) if name != "bs" else -1
            peer.send("ce", hello("bs" if name == "bs" else "ue", user))
        for _ in self.peers:
            source, message = await self.hub.receive()
            self.hub.send(source, welcome(getattr(message, "user", -1), credit_bytes=CREDIT))
        for peer in self.peers.values():
            await peer.receive()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in self.links():
            link.close()
        for counters in self.counters.values():
            counters.close()

    def links(self) -> list[DataHub | DataPeer]:
        return [*self.peers.values(), self.hub]

    def rows(self, end: str) -> list[LedgerRow]:
        return self.counters[end].rows()

    def dropped(self, end: str) -> dict[str, int]:
        """Frames by reason."""
        found: dict[str, int] = {}
        for key, values in self.rows(end):
            if key.outcome == "dropped":
                found[key.reason] = found.get(key.reason, 0) + values.frames
        return found

    def wire(self, end: str, outcome: str, users: str | None = None, hop: str | None = None) -> int:
        return sum(
            values.wire_bytes
            for key, values in self.rows(end)
            if key.outcome == outcome and users in (None, key.users) and hop in (None, key.hop)
        )


async def until(condition: Callable[[], bool], *links: Link, within_s: float = 10.0) -> None:
    """Wait for something that announces itself to nobody; `links` are read (and emptied) meanwhile."""
    async with asyncio.timeout(within_s):
        while not condition():
            for link in links:
                take_all(link)
            await asyncio.sleep(0.005)


def take_all(link: Link) -> list[Message]:
    found = []
    while (received := link.receive_nowait()) is not None:
        found.append(received[1])
    return found


def kernel_agrees(link: Link) -> bool:
    """Whether kernel and link count the same bytes, both ways, on every connection of this link."""
    for connection in link.connections():
        kernel = tcp_counters(connection.fd)
        assert kernel is not None
        if (kernel.bytes_on_wire, kernel.bytes_received) != (connection.sent, connection.received):
            return False
    return True
