"""Under which of its addresses a host is reached by the other hosts of a run."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import psutil

from launch.errors import LaunchError

LOOPBACK = "127.0.0.1"


def address_in(network: str | None, node_address: str, host: str) -> str:
    """This host's first address in `network` (CIDR); that of its Ray node where none is named.

    Raises `LaunchError`: it has none there.
    """
    if network is None:
        return node_address
    mine = list(own_addresses())
    for address in mine:
        if ip_address(address) in ip_network(network):
            return address
    raise LaunchError(f"cluster.data_network: {host} has no address in {network} (it has {', '.join(mine)})")


def own_addresses() -> Iterable[str]:
    """IPv4 and IPv6 addresses of interfaces that are there, without zones."""
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family in (socket.AF_INET, socket.AF_INET6):
                yield entry.address.partition("%")[0]
