"""Why a message, or what should have been one, is dropped: every reason that the ledger knows."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """`at`: the end that counts it."""

    at: str
    means: str


_RECEIVER, _SENDER, _HUB = "receiver", "sender", "`ce`, agent"

DROPS: Final[dict[str, Reason]] = {
    # what `shared.wire.codec.decode` finds
    "bad_parts": Reason(_RECEIVER, "another number of parts than its kind has"),
    "oversize": Reason(_RECEIVER, "a header or payload above its limit"),
    "truncated": Reason(_RECEIVER, "fewer bytes than the lead says, or than a lead has"),
    "bad_magic": Reason(_RECEIVER, "something that does not begin with `M4`"),
    "bad_version": Reason(_RECEIVER, "another version of the protocol"),
    "bad_flags": Reason(_RECEIVER, "flags, of which this version has none"),
    "bad_checksum": Reason(_RECEIVER, "a header that its CRC-32 does not fit"),
    "bad_header": Reason(_RECEIVER, "a body that is no msgpack map, or has a key twice"),
    "unknown_kind": Reason(_RECEIVER, "a message of a kind that there is not"),
    "bad_field": Reason(_RECEIVER, "a field that is missing, unknown, or fails its check"),
    # connections
    "handshake_failed": Reason(_HUB, "a connection that ended within its handshake, without a reason"),
    "handshake_failed_protocol": Reason(_HUB, "bytes that are no handshake"),
    "never_spoke": Reason(_HUB, "a connection that ended without a message"),
    "unknown_key": Reason(_HUB, "under CURVE, a key that is not on the list"),
    "wrong_mechanism": Reason(_HUB, "a client with another security mechanism than the link's"),
    "bad_crypto": Reason(_HUB, "a handshake or message that the keys do not open"),
    "replayed": Reason(_HUB, "a sealed message that has been there"),
    "wrong_user_id": Reason(_HUB, "a known key under another's routing id, or none of its own"),
    "unknown_peer": Reason(_HUB, "a routing id that is no role's"),
    # who may say what
    "wrong_direction": Reason(_RECEIVER, "a message that such a peer does not send"),
    "wrong_source": Reason(_HUB, "a message that speaks for another user, role or incarnation"),
    "wrong_user": Reason(_RECEIVER, "a message that names another user than its connection"),
    "no_hello": Reason(_HUB, "a message of a peer that has not introduced itself"),
    "fenced": Reason(_HUB, "a message of an incarnation that has been replaced"),
    "unknown_source": Reason("`ce`", "a message of neither a base station nor a UE"),
    "out_of_protocol": Reason("`ce`", "a message that has no place to go"),
    "sender_not_attached": Reason("`ce`", "its sender has not been welcomed"),
    "sender_gone": Reason("`ce`", "its sender has said goodbye or was silent for too long"),
    # where it was to go
    "peer_gone": Reason(_SENDER, "the receiver is not connected any more"),
    "not_attached": Reason("`ce`", "the receiver has never been welcomed"),
    "unknown_user": Reason("`ce`", "the receiver is no user of the run"),
    "no_receiver": Reason("`ce`", "a symbol frame for nobody"),
    "duplicate_receiver": Reason("`ce`", "a symbol frame that names a user twice: the second one"),
    "queue_overflow": Reason(_SENDER, "`limits.queue_bytes_per_user` wait already"),
    "too_much_held": Reason("`ce`", "faults hold back 8,192 messages or 64 MiB already"),
    "stopped": Reason("`ce`", "held back by a fault when the run ended"),
    "closed": Reason(_SENDER, "waiting when the link was closed"),
    # what is in it
    "bad_frame": Reason("`ce`", "a private symbol frame for several users"),
    "bad_samples": Reason("`ce`, UE", "a payload that is not the samples its header says"),
    "genie_blocks": Reason("`ce`", "more coherence blocks than the genie can name in a message"),
    "repeated": Reason("UE", "the same attempt at the same frame once more"),
    # faults
    "loss": Reason("`ce`", "lost by this fault"),
    "burst_loss": Reason("`ce`", "lost by this fault"),
    "partition": Reason("`ce`", "lost by this fault"),
    "rate_limit": Reason("`ce`", "lost by this fault"),
    "corrupt_header": Reason(
        "`ce`", "its header was damaged by this fault: sent as bytes that nobody can read"
    ),
}

UNREAD: Final[dict[str, str]] = {
    "no_pilots": "a frame without pilots over a channel that fades",
    "bad_gain": "a genie's blocks that do not fit the frame",
}
"""Of what a UE has taken, counted as delivered and cannot make use of: its tokens are then missing."""
