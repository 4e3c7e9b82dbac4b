"""HOST:PORT at the door, and the address a person opens."""

import socket

import pytest

from launch.dashboard.address import Address, parse_address
from launch.errors import LaunchError


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0), True),
        ("127.8.9.1:80", Address("127.8.9.1", 80), True),
        ("localhost:8080", Address("localhost", 8080), True),
        ("[::1]:65535", Address("::1", 65_535), True),
        ("0.0.0.0:1", Address("0.0.0.0", 1), False),
        ("[::]:1", Address("::", 1), False),
        ("10.1.2.3:8080", Address("10.1.2.3", 8080), False),
    ],
)
def test_an_address_is_read_and_loopback_is_known(text: str, address: Address, loopback: bool) -> None:
    assert parse_address(text, "--at") == address
    assert address.is_loopback == loopback


@pytest.mark.parametrize(
    "text", ["", "8080", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "[::1:80", "127.0.0.1:65536",
             "127.0.0.1:+1", "127.0.0.1:٣", "example.org:80", "1.2.3:80", "[127.0.0.1]:x"],
)  # fmt: skip
def test_what_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(LaunchError, match=r"^--at .*: expected .*") as caught:
        parse_address(text, "--at")
    assert "\n" not in str(caught.value)


def test_the_url_has_the_token_and_names_this_host_where_it_is_any_address() -> None:
    assert Address("127.0.0.1", 80).url("") == "http://127.0.0.1:80/"
    assert Address("::1", 80).url("a b") == "http://[::1]:80/?token=a+b"
    assert Address("0.0.0.0", 80).url("t") == f"http://{socket.gethostname()}:80/?token=t"
