"""What links and their users share: the interface of a link, and what a link knows of a connection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.meter import Sizes
from shared.wire.codec import Part, encode
from shared.wire.damage import HeaderErrors, with_header_errors
from shared.wire.framing import message_wire_bytes
from shared.wire.messages import Message

SENT, FULL, GONE = "sent", "full", "gone"
"""What a transport may say to a message: it has it; not now; there is no such peer."""

DEFAULT_QUEUE_BYTES = 64 * 2**20
DEFAULT_CREDIT_BYTES = 4 * 2**20


@dataclass(slots=True)
class Connection:
    """One TCP connection, in wire bytes as the link counts them: greeting and handshake included."""

    peer: str
    incarnation: int
    fd: int
    sent: int = 0
    received: int = 0
    open: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An encoded message on its way out; `damaged`: its header cannot be read."""

    message: Message
    parts: list[Part]
    sizes: Sizes
    wire: int
    damaged: bool = False


class Link(Protocol):
    """A hub or a peer, over TCP or in memory. Nothing blocks; nothing that arrives raises.

    `send` and `drop` count into the ledger, as does taking a message by `receive_nowait`.
    """

    def send(self, to: str, message: Message, header_errors: HeaderErrors | None = None) -> None:
        """Send, hold back (bounded) or drop (counted); with `header_errors`, damaged bytes. Raises
        `LocalProtocolError` for a message of ours that cannot be encoded."""

    def drop(self, to: str, message: Message, reason: str) -> None:
        """Count a message that its role gives up: on its way to `to`, or received from there."""

    def copied(self, source: str, message: Message, times: int) -> None:
        """Count that a message received from `source` was made into so many more."""

    def receive_nowait(self) -> tuple[str, Message] | None:
        """(source, message), or None when nothing is there. Bad input is counted and skipped."""

    def disconnect(self, to: str) -> None:
        """Forget a peer's credit and what is held back for it (dropped, 'peer_gone')."""

    def quiesce(self) -> None:
        """Send nothing more of one's own accord (credit)."""

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` in the running event loop whenever `receive_nowait` may have something; None: never."""

    def next_flush_s(self) -> float | None:
        """Seconds after which to call `flush`; None if nothing waits for a transport that was full."""

    def flush(self) -> None:
        """Try again what the transport did not take."""

    def connections(self) -> list[Connection]:
        """Open connections that have carried a message (hub) or been established (peer)."""

    @property
    def pending_bytes(self) -> int:
        """Wire bytes held back."""

    def close(self, linger_ms: int = 1_000) -> None:
        """Close; what the transport has may leave within `linger_ms`. Harmless when done twice."""


def encoded(message: Message, header_errors: HeaderErrors | None = None, curve: bool = False) -> Outgoing:
    """Encode, for a link with or without CURVE. Raises `LocalProtocolError` for a message that cannot be."""
    parts = encode(message)
    if header_errors is not None:
        parts = with_header_errors(parts, header_errors)
    return Outgoing(message, parts, sizes_of(parts), wire_bytes_of(parts, curve), header_errors is not None)


def sizes_of(parts: list[Part]) -> Sizes:
    """Sizes of header and payload part of an encoded message."""
    return Sizes(_nbytes(parts[0]), _nbytes(parts[1]) if len(parts) > 1 else 0)


def wire_bytes_of(parts: list[Part], curve: bool = False) -> int:
    """Wire bytes of any multipart message."""
    return message_wire_bytes((_nbytes(part) for part in parts), curve)


def _nbytes(part: Part) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)
