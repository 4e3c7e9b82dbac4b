"""Where a dashboard listens: HOST:PORT, checked at the door."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode

from launch.errors import LaunchError

ANY_PORT = 0


@dataclass(frozen=True, slots=True)
class Address:
    """`port` 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = ANY_PORT

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine's own users can get there."""
        return self.host == "localhost" or ip_address(self.host).is_loopback

    def url(self, token: str) -> str:
        """What a person opens; an address that stands for all of this host's is written as its name."""
        host = self.host
        if host != "localhost" and ip_address(host).is_unspecified:
            host = socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?{urlencode({'token': token})}" if token else "")


def parse_address(text: str, option: str) -> Address:
    """'127.0.0.1:8080', '[::1]:0', 'localhost:8080'. Raises `LaunchError` that names the option."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if (
        not colon
        or not (port.isascii() and port.isdigit())
        or int(port) > 65_535
        or (":" in host) != (bare != host)
    ):
        raise LaunchError(f"{option} {text}: expected HOST:PORT, such as 127.0.0.1:8080")
    if bare != "localhost":
        try:
            ip_address(bare)
        except ValueError:
            raise LaunchError(
                f"{option} {text}: expected an IP address of this machine, or localhost"
            ) from None
    return Address(bare, int(port))
