"""A hub without its transport: who is connected, what may go to whom, what is held back, what is counted.

A user's frames are held back while more than its credit window is under way: sent, but not yet reported as
consumed. Messages of the session (heartbeats, welcome) overtake what is held back. What is held back is
bounded in bytes; more is dropped as 'queue_overflow'. No sockets here: the same code serves TCP and memory.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.link_types import FULL, GONE, Outgoing, encoded, sizes_of, wire_bytes_of
from shared.meter import Meter
from shared.routing import SESSION, fault_of_source, parse_routing_id, routing_id
from shared.wire.codec import Part, decode, encode
from shared.wire.damage import HeaderErrors
from shared.wire.errors import ProtocolError
from shared.wire.messages import (
    CONTROL_MESSAGES,
    Bye,
    Credit,
    Heartbeat,
    Hello,
    Message,
    Ready,
    Refused,
    Welcome,
)

Transport = Callable[[bytes, Outgoing], str]
"""Takes (routing id, message), says SENT, FULL or GONE."""


_NAMED = (Welcome, Refused, Heartbeat, Bye)
"""Messages to one incarnation of a peer."""


@dataclass(slots=True)
class _Route:
    """A peer's present incarnation. `sent` and `consumed` are wire bytes since it attached."""

    incarnation: int
    sent: int = 0
    consumed: int = 0
    held: deque[Outgoing] = field(default_factory=deque)
    held_bytes: int = 0


class HubCore:
    """`credit_bytes` None: no credit (control links). `control`: agent's side of the control links."""

    def __init__(
        self,
        meter: Meter,
        transport: Transport,
        credit_bytes: int | None,
        queue_bytes: int,
        control: bool = False,
    ) -> None:
        self._meter = meter
        self._transport = transport
        self._credit_bytes = credit_bytes
        self._queue_bytes = queue_bytes
        self._control = control
        self._routes: dict[str, _Route] = {}
        self._full: set[str] = set()

    # --- out ------------------------------------------------------------------------------------------

    def send(self, to: str, message: Message, header_errors: HeaderErrors | None = None) -> None:
        """See `Link.send`."""
        outgoing = encoded(message, header_errors, self._meter.curve)
        route = self._routes.get(to)
        named = message.incarnation if isinstance(message, _NAMED) else None
        if named is not None and (route is None or named != route.incarnation):
            self._send_to_another(to, named, outgoing)
        elif route is None:
            self._meter.not_sent(to, message, outgoing.sizes, "peer_gone")
        elif isinstance(message, SESSION) or not (route.held or self._window_closed(to, route)):
            self._try(to, route, outgoing)
        else:
            self._hold(to, route, outgoing)

    def drop(self, to: str, message: Message, reason: str) -> None:
        self._meter.given_up(to, message, sizes_of(encode(message)), reason)

    def copied(self, source: str, message: Message, times: int) -> None:
        self._meter.copied(source, message, sizes_of(encode(message)), times)

    def disconnect(self, to: str) -> None:
        route = self._routes.get(to)
        if route is not None:
            self._give_up_held(to, route, "peer_gone")
            route.sent = route.consumed = 0

    def reconnected(self, peer: str) -> None:
        """A new connection of the same incarnation: what was under way on the old one is consumed or lost."""
        route = self._routes.get(peer)
        if route is not None:
            route.sent = route.consumed
            self._release(peer, route)

    def flush(self) -> None:
        for peer in sorted(self._full):
            self._full.discard(peer)
            self._release(peer, self._routes[peer])

    @property
    def blocked(self) -> bool:
        """Something waits for the transport itself, not for credit."""
        return bool(self._full)

    @property
    def pending_bytes(self) -> int:
        return sum(route.held_bytes for route in self._routes.values())

    def close(self) -> None:
        """Everything held back is dropped, 'closed'."""
        for peer, route in self._routes.items():
            self._give_up_held(peer, route, "closed")

    # --- in -------------------------------------------------------------------------------------------

    def accept(self, identity: bytes, parts: list[Part]) -> tuple[str, Message] | None:
        """(source, message) of what arrived, or None: then it has been counted as dropped."""
        known = parse_routing_id(identity)
        if known is None or (known[0] == "ce" and not self._control):
            self._meter.unreadable(None, wire_bytes_of(parts, self._meter.curve), "unknown_peer")
            return None
        peer, incarnation = known
        try:
            message = decode(parts)
        except ProtocolError as error:
            self._meter.unreadable(peer, wire_bytes_of(parts, self._meter.curve), error.reason)
            return None
        sizes = sizes_of(parts)
        fault = self._fault(peer, incarnation, message) or self._introduce(peer, incarnation, message)
        if fault is not None:
            self._meter.not_taken(peer, message, sizes, fault)
            return None
        self._meter.delivered(peer, message, sizes)
        if isinstance(message, Credit):
            self._credit(peer, message)
        return peer, message

    def _fault(self, peer: str, incarnation: int, message: Message) -> str | None:
        if not self._control:
            return fault_of_source(peer, incarnation, message)
        if not isinstance(message, CONTROL_MESSAGES):
            return "wrong_direction"
        if isinstance(message, Ready) and (message.incarnation, peer[:2]) != (incarnation, message.role):
            return "wrong_source"
        return None

    def _introduce(self, peer: str, incarnation: int, message: Message) -> str | None:
        """Make or replace the route when a peer says hello; why a message that needs one has none."""
        route = self._routes.get(peer)
        newer = route is None or incarnation > route.incarnation
        if newer and (self._control or isinstance(message, Hello)):
            if route is not None:
                self._give_up_held(peer, route, "peer_gone")
            self._routes[peer] = _Route(incarnation)
            self._full.discard(peer)
        elif route is not None and incarnation == route.incarnation:
            if isinstance(message, Hello):  # it counts anew; what is still under way widens its window once
                route.sent = route.consumed = 0
        elif not hasattr(message, "incarnation") or self._control:
            return "no_hello" if newer else "fenced"
        return None

    # --- credit and queue -----------------------------------------------------------------------------

    def _window_closed(self, peer: str, route: _Route) -> bool:
        if self._credit_bytes is None or not peer.startswith("ue:"):
            return False
        return route.sent - route.consumed > self._credit_bytes

    def _credit(self, peer: str, credit: Credit) -> None:
        route = self._routes.get(peer)
        if route is not None and route.incarnation == credit.incarnation:
            route.consumed = max(route.consumed, credit.consumed_bytes)
            self._release(peer, route)

    def _release(self, peer: str, route: _Route) -> None:
        while route.held and peer not in self._full:
            if self._window_closed(peer, route) and not isinstance(route.held[0].message, SESSION):
                return
            outgoing = route.held.popleft()
            route.held_bytes -= outgoing.wire
            self._try(peer, route, outgoing, again=True)

    def _try(self, peer: str, route: _Route, outgoing: Outgoing, again: bool = False) -> None:
        state = self._offer(peer, route.incarnation, outgoing)
        if state == FULL:
            self._full.add(peer)
            self._hold(peer, route, outgoing, first=again)
        elif state == GONE:
            self._meter.not_sent(peer, outgoing.message, outgoing.sizes, "peer_gone")
        else:
            route.sent += outgoing.wire

    def _hold(self, peer: str, route: _Route, outgoing: Outgoing, first: bool = False) -> None:
        if not first and route.held_bytes + outgoing.wire > self._queue_bytes:
            self._meter.not_sent(peer, outgoing.message, outgoing.sizes, "queue_overflow")
            return
        (route.held.appendleft if first else route.held.append)(outgoing)
        route.held_bytes += outgoing.wire

    def _send_to_another(self, to: str, incarnation: int, outgoing: Outgoing) -> None:
        """To an incarnation that is not the present one: to tell it that it has been replaced."""
        if self._offer(to, incarnation, outgoing) in (FULL, GONE):
            self._meter.not_sent(to, outgoing.message, outgoing.sizes, "peer_gone")

    def _offer(self, peer: str, incarnation: int, outgoing: Outgoing) -> str:
        """Hand it to the transport; what that says. Counted where it was taken."""
        self._meter.offered(peer, outgoing.message, outgoing.sizes, outgoing.damaged)
        state = self._transport(routing_id(peer, incarnation), outgoing)
        if state in (FULL, GONE):
            self._meter.not_offered(peer, outgoing.message, outgoing.sizes, outgoing.damaged)
        return state

    def _give_up_held(self, peer: str, route: _Route, reason: str) -> None:
        for outgoing in route.held:
            self._meter.not_sent(peer, outgoing.message, outgoing.sizes, reason)
        route.held.clear()
        route.held_bytes = 0
        self._full.discard(peer)
