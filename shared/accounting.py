"""What is counted, for every message at every end of every hop.

Outcomes, so that numbers of different ends can be held against each other:

    offered      handed to the transport by the sender. Summed wire bytes are what the kernel sends.
    delivered    taken from the transport by the receiver and valid.
    dropped      at a sender: never handed to the transport, so not offered; at a receiver: arrived but not
                 delivered (`reason` says which). Class 'unknown' is what could not be read at all; the
                 emulator offers it where a fault damages a header, and drops the message itself.
    duplicated   at the emulator, for a public frame for n users that was delivered: n - 1; and every copy
                 that a fault makes.

Hence, once nothing is in flight, per class: on a hop, offered (sender) = delivered + dropped (receiver); and
across the emulator, in frames, delivered + duplicated (hop in) = offered + dropped (hop out).

Wire bytes are payload + header + ZMTP framing, CURVE's included where links are encrypted. A SymbolFrame is
two portions: its stream, with the one frame, the header and the framing, and its pilots, with their payload
bytes, channel uses and energy. Energy is the sum of |x|^2 as sent; pilots have unit modulus. What the air
charges is charged by whoever sends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.ledger_rows import compact_users, share_out
from shared.routing import SESSION
from shared.wire.framing import message_wire_bytes, part_wire_bytes
from shared.wire.messages import (
    CONTROL_MESSAGES,
    Answer,
    AnswerAck,
    Cancel,
    Feedback,
    Message,
    PeerState,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
)

CLASSES = ("public", "private", "side", "pilots", "control", "session", "feedback", "agent", "unknown")
RELAYED = ("public", "private", "side", "pilots", "control", "feedback")
"""Classes that cross the emulator; the others end at the other side of the hop."""

_MAX_USERS_TEXT = 384  # of a row's key of at most 512 bytes
_BYTES_PER_SAMPLE = {"cf32": 8, "cs16": 4, "cs8": 2}
_CONTROL = frozenset(CONTROL_MESSAGES)
_SESSION = frozenset(SESSION)


@dataclass(frozen=True, slots=True)
class Portion:
    """One class's part of one message. `users` is a compact range text, '' if it concerns no user."""

    klass: str
    purpose: str
    users: str
    frames: int
    payload_bytes: int
    header_bytes: int
    wire_bytes: int
    uses: int
    energy: float


def portions(message: Message, header_bytes: int, payload_bytes: int, curve: bool = False) -> list[Portion]:
    """Split one message of these part sizes; sums over the portions are the message's own numbers."""
    wire = wire_bytes(message, header_bytes, payload_bytes, curve)
    if isinstance(message, SymbolFrame):
        return _symbol_frame(message, header_bytes, payload_bytes, wire)
    purpose = "retransmission" if getattr(message, "attempt", 0) else "first"
    uses, energy = (message.uses, message.energy) if isinstance(message, SideInfo) else (0, 0.0)
    klass = class_of(message)
    user = -1 if isinstance(message, PeerState) else getattr(message, "user", -1)
    users = str(user) if user >= 0 and klass != "agent" else ""
    return [Portion(klass, purpose, users, 1, payload_bytes, header_bytes, wire, uses, energy)]


def wire_bytes(message: Message, header_bytes: int, payload_bytes: int, curve: bool = False) -> int:
    """Bytes of the message on a TCP connection, ZMTP framing included."""
    if hasattr(message, "payload"):
        return message_wire_bytes((header_bytes, payload_bytes), curve)
    return part_wire_bytes(header_bytes, curve)


def class_of(message: Message) -> str:
    """The class of a message; of a SymbolFrame, its stream."""
    if isinstance(message, SymbolFrame):
        return message.stream
    if isinstance(message, SideInfo):
        return "side"
    if isinstance(message, Cancel | AnswerAck):
        return "control"
    if isinstance(message, Feedback | Answer | UplinkRequest):
        return "feedback"
    if type(message) in _SESSION:
        return "session"
    return "agent" if type(message) in _CONTROL else "unknown"


def _symbol_frame(frame: SymbolFrame, header_bytes: int, payload_bytes: int, wire: int) -> list[Portion]:
    purpose = "retransmission" if frame.attempt else "first"
    pilot_uses = min(frame.pilot_uses, frame.uses)
    pilot_bytes = min(pilot_uses * _BYTES_PER_SAMPLE[frame.sample_format], payload_bytes)
    pilot_energy = min(float(pilot_uses), frame.energy)
    found = [
        Portion(
            frame.stream,
            purpose,
            compact_users(frame.users),
            1,
            payload_bytes - pilot_bytes,
            header_bytes,
            wire - pilot_bytes,
            frame.uses - pilot_uses,
            frame.energy - pilot_energy,
        )
    ]
    if pilot_uses:
        users = found[0].users
        found.append(
            Portion("pilots", purpose, users, 0, pilot_bytes, 0, pilot_bytes, pilot_uses, pilot_energy)
        )
    if len(found[0].users) <= _MAX_USERS_TEXT:
        return found
    return [part for whole in found for part in _split_users(whole, frame.users)]


def _split_users(portion: Portion, users: Sequence[int]) -> list[Portion]:
    """Row keys are bounded: a very ragged set of users becomes several sets, each with its users' shares."""
    everyone = sorted(set(users))
    n = len(everyone)
    shares = [
        share_out(total, n)
        for total in (
            portion.frames,
            portion.payload_bytes,
            portion.header_bytes,
            portion.wire_bytes,
            portion.uses,
        )
    ]
    result: list[Portion] = []
    size = _MAX_USERS_TEXT // 6  # '65535,'
    for start in range(0, n, size):
        place = slice(start, start + size)
        frames, payload, header, wire, uses = (sum(share[place]) for share in shares)
        energy = portion.energy * len(everyone[place]) / n
        users_text = compact_users(everyone[place])
        result.append(
            Portion(portion.klass, portion.purpose, users_text, frames, payload, header, wire, uses, energy)
        )
    return result
