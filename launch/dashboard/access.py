"""Who may see the dashboard, and who may press its buttons. Judged before anything else sees a request.

On loopback any local user may, but no web page of elsewhere: the Host header must name the loopback (else a
name of somebody's could be made to point here, DNS rebinding), and an Origin header must be our own. On any
other address a token is needed for everything: in the URL once, from then on as a cookie; or as a bearer.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

COOKIE: Final = "m4sc_dashboard"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_CLOSE_POLICY: Final = 1008  # RFC 6455, 7.4.1: policy violation

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """`token` empty: on loopback, at `port`. `host`: as it was given, beside the usual names."""

    port: int
    token: str = ""
    host: str = "127.0.0.1"

    def refusal(self, headers: Mapping[str, str], query: str) -> str:
        """Why not, one line; empty if one may."""
        host, origin = headers.get("host", ""), headers.get("origin")
        names = (*_LOOPBACK, f"[{self.host}]" if ":" in self.host else self.host)
        if not self.token and host not in [f"{name}:{self.port}" for name in names]:
            return f"Host {host[:80]!r} is not this page's address"
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return f"Origin {origin[:80]!r} may not use this page"
        given = _tokens(headers, query)
        if self.token and not any(hmac.compare_digest(token, self.token) for token in given):
            return "a token is needed: open the address that was printed when this was started"
        return ""


class Access:
    """ASGI middleware around the whole application."""

    def __init__(self, app: App, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        why = self._rules.refusal(headers, query)
        if why and scope["type"] == "websocket":
            await receive()  # the connect, which has to be taken before it can be refused
            await send({"type": "websocket.close", "code": _CLOSE_POLICY})
        elif why:
            await _answer(send, 403, [(b"content-type", b"text/plain; charset=utf-8")], f"{why}\n".encode())
        elif scope["type"] == "http" and self._rules.token and _of_query(query):
            await _answer(send, 303, self._cookie_instead(scope["path"], query), b"")
        else:
            await self._app(scope, receive, send)

    def _cookie_instead(self, path: str, query: str) -> list[tuple[bytes, bytes]]:
        """The same page again, without the token in its address."""
        rest = urlencode([(key, value) for key, value in parse_qsl(query) if key != "token"])
        cookie = f"{COOKIE}={self._rules.token}; Path=/; HttpOnly; SameSite=Strict"
        where = path + (f"?{rest}" if rest else "")
        return [(b"location", where.encode("latin-1")), (b"set-cookie", cookie.encode("latin-1"))]


def _tokens(headers: Mapping[str, str], query: str) -> list[str]:
    """All that were given, in ASCII: others are not compared."""
    given = [_of_query(query), headers.get("authorization", "").removeprefix("Bearer ")]
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    given.append("" if cookie is None else cookie.value)
    return [token for token in given if token and token.isascii()]


def _of_query(query: str) -> str:
    return dict(parse_qsl(query)).get("token", "")


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
