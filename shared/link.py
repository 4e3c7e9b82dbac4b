"""The links of the testbed over TCP (ZeroMQ). The interface and its meaning: `shared/link_types.py:Link`.

    DataHub      the emulator's ROUTER          DataPeer     a base station's or UE's DEALER to it
    ControlHub   an agent's ROUTER              ControlPeer  a role's DEALER to its agent

All calls return at once. `await receive()` serves plain asyncio code; `set_waker` with `receive_nowait` an
event loop of one's own. Each link belongs to one thread. With `keys` a link speaks CURVE and nothing else,
and a hub lets in its guests alone; without, nothing is protected.
"""

from shared.keys import HubKeys, PeerKeys
from shared.ledger import Counters
from shared.link_hub import TcpHub
from shared.link_peer import TcpPeer
from shared.link_types import DEFAULT_CREDIT_BYTES, DEFAULT_QUEUE_BYTES, Connection, Link

__all__ = ["Connection", "ControlHub", "ControlPeer", "DataHub", "DataPeer", "Link"]


class DataHub(TcpHub):
    """The emulator's end of the data plane. `endpoint` is tcp://host:port; it listens on `bind_host`
    (default: host), on a free port or, as a next incarnation, on the one before's. Raises `OSError` if that
    cannot be had. `counters` None: nothing is counted."""

    def __init__(
        self,
        counters: Counters | None,
        host: str = "127.0.0.1",
        bind_host: str | None = None,
        credit_bytes: int = DEFAULT_CREDIT_BYTES,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        port: int = 0,
        keys: HubKeys | None = None,
    ) -> None:
        super().__init__("ce", counters, host, bind_host, credit_bytes, queue_bytes, port, keys)


class ControlHub(TcpHub):
    """An agent's end of its roles' control links. Sources are 'bs', 'ce', 'ue:<user>'."""

    def __init__(
        self,
        counters: Counters | None = None,
        host: str = "127.0.0.1",
        bind_host: str | None = None,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        keys: HubKeys | None = None,
    ) -> None:
        super().__init__("agent", counters, host, bind_host, None, queue_bytes, keys=keys)


class DataPeer(TcpPeer):
    """A base station's ('bs') or user's ('ue:<user>') end of the data plane; messages come from 'ce'."""

    def __init__(
        self,
        me: str,
        incarnation: int,
        endpoint: str,
        counters: Counters | None,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        keys: PeerKeys | None = None,
    ) -> None:
        super().__init__(me, incarnation, "ce", endpoint, counters, queue_bytes, keys)


class ControlPeer(TcpPeer):
    """A role's end of its control link; `me` is 'bs', 'ce' or 'ue:<user>'; messages come from 'agent'."""

    def __init__(
        self,
        me: str,
        incarnation: int,
        endpoint: str,
        counters: Counters | None = None,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        keys: PeerKeys | None = None,
    ) -> None:
        super().__init__(me, incarnation, "agent", endpoint, counters, queue_bytes, keys)
