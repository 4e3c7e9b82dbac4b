"""Who is who on a link: names of peers, routing ids, and what a peer may say.

A peer's name is 'bs', 'ce' or 'ue:<user>'. Its routing id is name and incarnation, b'ue-3.2': so a replaced
process that wakes up again can never take its successor's connection, and the emulator can still tell it so.
"""

from shared.wire.messages import (
    Answer,
    AnswerAck,
    Bye,
    Cancel,
    Credit,
    Feedback,
    Heartbeat,
    Hello,
    Message,
    PeerState,
    Refused,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
    Welcome,
)

_MAX_ID_BYTES = 48

FROM_BS = (Hello, Heartbeat, Bye, SideInfo, SymbolFrame, Cancel, AnswerAck)
FROM_UE = (Hello, Heartbeat, Credit, Bye, UplinkRequest, Feedback, Answer)
TO_BS = (Welcome, Refused, PeerState, Heartbeat, Bye, UplinkRequest, Feedback, Answer)
TO_UE = (Welcome, Refused, Heartbeat, Bye, SideInfo, SymbolFrame, Cancel, AnswerAck)
SESSION = (Hello, Welcome, Refused, PeerState, Heartbeat, Credit, Bye)
"""Messages of one hop, between a peer and the emulator; all others cross the emulator."""
NAMES_ITS_CONNECTION = (Hello, Welcome, Refused, Heartbeat, Credit, Bye)
"""Messages whose `incarnation` is the peer's at the end of this connection."""


def peer_name(role: str, user: int) -> str:
    """'bs', 'ce' or 'ue:<user>'."""
    return f"ue:{user}" if role == "ue" else role


def user_of_peer(peer: str) -> int:
    """The user of 'ue:<user>', -1 of any other."""
    return int(peer[3:]) if peer.startswith("ue:") else -1


def end_name(peer: str) -> str:
    """A peer's name as an `end` of ledger rows: 'ue-3'."""
    return peer.replace(":", "-")


def peer_of_end(end: str) -> str:
    """Inverse of `end_name`."""
    return end.replace("-", ":")


def routing_id(peer: str, incarnation: int) -> bytes:
    """b'bs.0', b'ue-3.2'."""
    return f"{end_name(peer)}.{incarnation}".encode()


def parse_routing_id(identity: bytes) -> tuple[str, int] | None:
    """(peer, incarnation), or None if it is not one of ours."""
    if len(identity) > _MAX_ID_BYTES or not identity.isascii():
        return None
    name, dot, incarnation = identity.decode().partition(".")
    role, dash, user = name.partition("-")
    if not dot or not _canonical(incarnation):
        return None
    if role == "ue" and dash and _canonical(user):
        return f"ue:{user}", int(incarnation)
    return (role, int(incarnation)) if role in ("bs", "ce") and not dash else None


def fault_of_source(peer: str, incarnation: int, message: Message) -> str | None:
    """Why the hub must not believe that this connection sent `message`; None if it may have."""
    if not isinstance(message, FROM_BS if peer == "bs" else FROM_UE):
        return "wrong_direction"
    if isinstance(message, Hello) and message.role != ("bs" if peer == "bs" else "ue"):
        return "wrong_source"
    if (peer != "bs" or isinstance(message, SESSION)) and _user(message) != user_of_peer(peer):
        return "wrong_source"
    claimed = getattr(message, "incarnation", incarnation)
    return None if claimed == incarnation else "wrong_source"


def fault_of_receiver(me: str, message: Message) -> str | None:
    """Why a peer must not take `message` from the emulator; None if it may."""
    if not isinstance(message, TO_BS if me == "bs" else TO_UE):
        return "wrong_direction"
    if me == "bs":
        return None
    users = message.users if isinstance(message, SymbolFrame) else (_user(message),)
    return None if users == (user_of_peer(me),) else "wrong_user"


def _user(message: Message) -> int | None:
    return getattr(message, "user", None)


def _canonical(number: str) -> bool:
    """Digits without leading zeros, so that no two ids mean one peer."""
    return number.isascii() and number.isdigit() and len(number) <= 19 and str(int(number)) == number
