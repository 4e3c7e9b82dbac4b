"""A role's data connections as the kernel counts them, next to what the link counts."""

from typing import Any

from shared.kernel import tcp_counters
from shared.link_types import Connection, Link


class KernelReport:
    """Remembers the last look at every connection: at the end the other side may have closed it already.

    `me` is a peer's name ('bs', 'ce', 'ue:3').
    """

    def __init__(self, me: str, link: Link) -> None:
        self._me = me
        self._link = link
        self._seen: dict[tuple[str, int], dict[str, Any]] = {}

    def look(self) -> bool:
        """Read TCP_INFO of all open connections; whether kernel and link agree on every one."""
        agree = True
        for connection in self._link.connections():
            entry = self._entry(connection)
            if entry is None:
                continue
            self._seen[connection.peer, connection.incarnation] = entry
            sent = entry["bytes_sent"] - entry["bytes_retrans"]
            agree &= (sent, entry["bytes_received"]) == (entry["ledger_sent"], entry["ledger_received"])
        return agree

    def entries(self) -> list[dict[str, Any]]:
        """Fields of the journal's `kernel` events, one per peer: link ('ce ue:3': both ends), local, remote,
        bytes_sent, bytes_retrans, bytes_received by the kernel; ledger_sent, ledger_received by the link."""
        return [self._seen[key] for key in sorted(self._seen)]

    def values(self) -> dict[str, Any]:
        """The numbers of all entries in one map, for the agent."""
        names = ("bytes_sent", "bytes_retrans", "bytes_received", "ledger_sent", "ledger_received")
        return {f"{entry['link']} {name}": entry[name] for entry in self.entries() for name in names}

    def _entry(self, connection: Connection) -> dict[str, Any] | None:
        kernel = tcp_counters(connection.fd)
        if kernel is None:
            return None
        return {
            "link": f"{self._me} {connection.peer}",
            "local": kernel.local,
            "remote": kernel.remote,
            "bytes_sent": kernel.bytes_sent,
            "bytes_retrans": kernel.bytes_retrans,
            "bytes_received": kernel.bytes_received,
            "ledger_sent": connection.sent,
            "ledger_received": connection.received,
        }
