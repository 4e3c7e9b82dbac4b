"""Who holds which CURVE key, and what a hub lets in by them. Pure: no sockets; keys are made by `link_curve`.

One key pair per role name ('bs', 'ce', 'ue-3', 'agent') and run, the same for all its incarnations. A role
has its own pair and the public keys of the hubs that it connects to; a hub has its pair and a list of guests.

A ROUTER gives a routing id's messages to whoever claimed it last, before anybody can look at the key. So
under CURVE a routing id ends in the guest's tag, a one-way function of its secret key that only guest, hub
and launcher know (the id crosses the wire encrypted): nobody can claim another's.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY_BYTES = 32
MAX_KEY_USERS = 8_192
"""The emulator is handed all guests in one line of at most 1 MiB, about 100 bytes each."""
ZAP_DOMAIN = "m4sc"
_TAG_BYTES = 8


@dataclass(frozen=True, slots=True)
class KeyPair:
    """CURVE25519 keys, 32 bytes each."""

    public: bytes
    secret: bytes = field(repr=False)

    @property
    def tag(self) -> bytes:
        """The end of this key's routing ids: 16 hexadecimal digits."""
        return (
            hashlib.blake2b(self.secret, digest_size=_TAG_BYTES, person=b"m4sc-routing-id")
            .hexdigest()
            .encode()
        )


@dataclass(frozen=True, slots=True)
class Guest:
    """What a hub knows of a role that may connect."""

    public: bytes
    tag: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HubKeys:
    """`guests` by role name."""

    own: KeyPair
    guests: Mapping[str, Guest]


@dataclass(frozen=True, slots=True)
class PeerKeys:
    """`hub`: the public key of the hub to connect to."""

    own: KeyPair
    hub: bytes


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """What one role process is given. `hubs`: public keys by name; `guests`: of the emulator, else empty."""

    own: KeyPair
    hubs: Mapping[str, bytes]
    guests: Mapping[str, Guest]

    def as_hub(self) -> HubKeys:
        return HubKeys(self.own, self.guests)

    def as_peer(self, hub: str) -> PeerKeys:
        """For a connection to 'ce' or 'agent'."""
        return PeerKeys(self.own, self.hubs[hub])

    def to_map(self) -> dict[str, Any]:
        """JSON values only."""
        return {
            "own": [self.own.public.hex(), self.own.secret.hex()],
            "hubs": {name: key.hex() for name, key in self.hubs.items()},
            "guests": {name: [guest.public.hex(), guest.tag.decode()] for name, guest in self.guests.items()},
        }

    @classmethod
    def from_map(cls, values: Mapping[str, Any]) -> "RoleKeys":
        """Inverse of `to_map`."""
        return cls(
            KeyPair(*(bytes.fromhex(key) for key in values["own"])),
            {name: bytes.fromhex(key) for name, key in values["hubs"].items()},
            {name: Guest(bytes.fromhex(key), tag.encode()) for name, (key, tag) in values["guests"].items()},
        )


class KeyBook:
    """An agent's: the pairs of its host's roles by name, 'agent' among them, and guests on other hosts.

    Secret keys never leave the host on which they were made: of the others it learns what hubs must know.
    """

    def __init__(self, pairs: Mapping[str, KeyPair]) -> None:
        self._pairs = dict(pairs)
        self._elsewhere: dict[str, Guest] = {}

    def introduce(self, names: Iterable[str]) -> dict[str, Guest]:
        """Roles of this host as others may know them. Raises `KeyError` for a name without a pair."""
        return {name: Guest(self._pairs[name].public, self._pairs[name].tag) for name in names}

    def learn(self, guests: Mapping[str, Guest]) -> None:
        """Roles that run on other hosts, with the keys that were made there."""
        self._elsewhere |= guests

    def agent(self) -> HubKeys:
        """Of the hub of the control links: every role is a guest."""
        return HubKeys(self._pairs["agent"], self._guests("agent"))

    def role(self, name: str) -> RoleKeys:
        """Of one role. Raises `KeyError` for a name without a pair."""
        known = self._guests()
        hubs = {hub: known[hub].public for hub in ("agent", "ce") if hub != name}
        return RoleKeys(self._pairs[name], hubs, self._guests("agent", "ce") if name == "ce" else {})

    def _guests(self, *without: str) -> dict[str, Guest]:
        known = self.introduce(self._pairs) | self._elsewhere
        return {name: guest for name, guest in known.items() if name not in without}


def key_names(users: int) -> list[str]:
    """The names of all who hold a pair in a run of so many users."""
    return ["agent", "bs", "ce", *(f"ue-{user}" for user in range(users))]


class AllowList:
    """A hub's decisions: which key may connect, and as whom."""

    def __init__(self, guests: Mapping[str, Guest]) -> None:
        self._guests = dict(guests)
        self._names = {guest.public: name for name, guest in guests.items()}

    def reply(self, request: list[bytes]) -> list[bytes]:
        """The reply to a ZAP 1.0 request (https://rfc.zeromq.org/spec/27/), both without envelope.

        A request is [version, request id, domain, address, identity, mechanism, client's key]; status 200
        names the guest as user id, 400 refuses an unknown key, 500 is for what is no request of ours.
        """
        request_id = request[1] if len(request) > 1 else b""
        if (
            len(request) != 7
            or request[0] != b"1.0"
            or request[5] != b"CURVE"
            or len(request[6]) != KEY_BYTES
        ):
            return [b"1.0", request_id, b"500", b"not a ZAP 1.0 request for CURVE", b"", b""]
        name = self._names.get(request[6])
        if name is None:
            return [b"1.0", request_id, b"400", b"unknown key", b"", b""]
        return [b"1.0", request_id, b"200", b"OK", name.encode(), b""]

    def admitted(self, claimed: bytes, name: str) -> bytes | None:
        """The routing id without its tag; None unless it is one of the guest `name`, as its key says."""
        guest = self._guests.get(name)
        plain, _, tag = claimed.rpartition(b".")
        if guest is None or not plain.startswith(name.encode() + b"."):
            return None
        return plain if hmac.compare_digest(tag, guest.tag) else None

    def address(self, plain: bytes) -> bytes:
        """The routing id by which the ROUTER knows a guest; as it is for a name that is none."""
        guest = self._guests.get(plain.partition(b".")[0].decode())
        return plain if guest is None else tagged(plain, guest.tag)


def tagged(plain: bytes, tag: bytes) -> bytes:
    """b'ue-3.2' with its tag."""
    return plain + b"." + tag
