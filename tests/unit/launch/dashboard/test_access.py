"""Who may see the page: this machine's own people, or who has the token; no web page of elsewhere."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from launch.dashboard.access import COOKIE, Access, Rules

HOME = {"host": "127.0.0.1:80"}
TOKEN = "s3cret"


@pytest.mark.parametrize(
    "headers",
    [
        HOME,
        {"host": "localhost:80"},
        {"host": "[::1]:80"},
        {**HOME, "origin": "http://127.0.0.1:80"},
    ],
)
def test_on_loopback_no_token_is_needed(headers: dict[str, str]) -> None:
    assert Rules(80).refusal(headers, "") == ""


def test_another_address_of_the_loopback_is_known_by_its_own_name() -> None:
    headers = {"host": "127.8.9.1:80"}
    assert Rules(80, host="127.8.9.1").refusal(headers, "") == ""
    assert Rules(80).refusal(headers, "").startswith("Host")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "Host"),
        ({"host": "evil.example:80"}, "Host"),
        ({"host": "127.0.0.1:81"}, "Host"),
        ({"host": "127.0.0.1"}, "Host"),
        ({**HOME, "origin": "http://evil.example"}, "Origin"),
        ({**HOME, "origin": "http://127.0.0.1:81"}, "Origin"),
        ({**HOME, "origin": "null"}, "Origin"),
    ],
)
def test_pages_of_elsewhere_are_refused(headers: dict[str, str], why: str) -> None:
    assert Rules(80).refusal(headers, "").startswith(why)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, f"token={TOKEN}"),
        ({"authorization": f"Bearer {TOKEN}"}, ""),
        ({"cookie": f"a=b; {COOKIE}={TOKEN}"}, "show=r1"),
        ({"cookie": f"{COOKIE}=old"}, f"show=r1&token={TOKEN}"),
    ],
)
def test_elsewhere_the_token_opens(headers: dict[str, str], query: str) -> None:
    rules = Rules(80, TOKEN)
    assert rules.refusal({"host": "testbed:80", **headers}, query) == ""
    assert rules.refusal({"host": "testbed:80", "origin": "http://evil.example", **headers}, query) != ""


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({}, "token="),
        ({}, "token=s3cre"),
        ({}, "token=s3cret2"),
        ({"authorization": f"Basic {TOKEN}"}, ""),
        ({"cookie": f"{COOKIE}=é"}, ""),
        ({"cookie": "\x00;;=;"}, ""),
    ],
)
def test_without_it_nothing_opens(headers: dict[str, str], query: str) -> None:
    assert "token" in Rules(80, TOKEN).refusal({"host": "127.0.0.1:80", **headers}, query)


async def exchanged(rules: Rules, kind: str, headers: dict[str, str], query: str = "") -> list[Any]:
    """What goes out for one request; `inside` if it came through."""
    out: list[Any] = []

    async def inside(scope: object, receive: object, send: object) -> None:
        out.append("inside")

    async def receive() -> MutableMapping[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        out.append(message)

    scope = {
        "type": kind,
        "path": "/page",
        "query_string": query.encode(),
        "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()],
    }
    await Access(inside, rules)(scope, receive, send)
    return out


async def test_what_may_goes_through_and_what_may_not_does_not() -> None:
    assert await exchanged(Rules(80), "http", HOME) == ["inside"]
    assert await exchanged(Rules(80), "websocket", HOME) == ["inside"]
    start, body = await exchanged(Rules(80), "http", {"host": "evil.example"})
    assert start["status"] == 403
    assert body["body"].count(b"\n") == 1
    (closed,) = await exchanged(Rules(80), "websocket", {**HOME, "origin": "http://evil.example"})
    assert closed == {"type": "websocket.close", "code": 1008}


async def test_a_token_in_the_address_becomes_a_cookie() -> None:
    start, _ = await exchanged(Rules(80, TOKEN), "http", {"host": "t:80"}, f"token={TOKEN}&show=r1")
    headers = dict(start["headers"])
    assert start["status"] == 303
    assert headers[b"location"] == b"/page?show=r1"
    assert headers[b"set-cookie"] == f"{COOKIE}={TOKEN}; Path=/; HttpOnly; SameSite=Strict".encode()
    again = {"host": "t:80", "cookie": f"{COOKIE}={TOKEN}"}
    assert await exchanged(Rules(80, TOKEN), "http", again) == ["inside"]


async def test_the_applications_own_start_and_end_pass() -> None:
    assert await exchanged(Rules(80), "lifespan", {}) == ["inside"]
