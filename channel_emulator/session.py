"""The emulator's side of every peer's session: who is attached, in which incarnation, and who fell silent.

    unknown --Hello--> attached --Bye or silence of liveness.timeout_ms--> gone --Hello--> attached
    a UE's Hello before the base station's is held: its fingerprint must equal the base station's
    a Hello of a higher incarnation takes the place of a lower one, which is fenced when it speaks again

Pure logic: time is an argument, in seconds of one monotonic clock. Memory is bounded by the users of the run.
"""

from dataclasses import dataclass

from shared.actions import Action, Disconnect, Drop, Record, Send
from shared.config import RunConfig
from shared.routing import user_of_peer
from shared.wire.messages import (
    PROTOCOL_VERSION,
    Bye,
    Heartbeat,
    Hello,
    Message,
    PeerState,
    Refused,
    Welcome,
)

BS = "bs"


@dataclass(slots=True)
class _Peer:
    """A peer that has been welcomed at least once."""

    incarnation: int
    fingerprint: str
    attached: bool
    heard_s: float
    spoke: bool = False  # since it attached, it said something that only a welcomed peer says


class Session:
    """All peers of a run."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._heartbeat_s = config.liveness.heartbeat_ms / 1e3
        self._timeout_s = config.liveness.timeout_ms / 1e3
        self._peers: dict[str, _Peer] = {}
        self._held: dict[str, Hello] = {}
        self._next_beat_s: float | None = None
        self._look_s: float | None = None  # no peer's silence can be too long before this
        self._sequence = 0
        self._quiet = False

    # --- questions ------------------------------------------------------------------------------------

    def attached(self, name: str) -> bool:
        peer = self._peers.get(name)
        return peer is not None and peer.attached

    def absence(self, name: str) -> str:
        """Why nothing can be sent to `name`: 'not_attached', 'peer_gone', or '' when it is attached."""
        peer = self._peers.get(name)
        if peer is None:
            return "not_attached"
        return "" if peer.attached else "peer_gone"

    def attached_users(self) -> list[int]:
        return sorted(user_of_peer(n) for n, p in self._peers.items() if p.attached and n != BS)

    def held_users(self) -> list[int]:
        return sorted(user_of_peer(n) for n in self._held)

    def next_wakeup_s(self, now_s: float) -> float | None:
        if self._quiet or self._look_s is None or self._next_beat_s is None:
            return None
        return min(self._next_beat_s, self._look_s)

    # --- events ---------------------------------------------------------------------------------------

    def quiesce(self) -> None:
        """No more heartbeats; and as peers are about to fall silent in good order, nobody is judged by it."""
        self._quiet = True

    def on_hello(self, source: str, hello: Hello, now_s: float) -> list[Action]:
        """Welcome, hold or refuse."""
        if hello.role != ("bs" if source == BS else "ue") or hello.user != user_of_peer(source):
            return [Drop(source, hello, "wrong_user")]
        if hello.protocol != PROTOCOL_VERSION:
            detail = f"expected protocol version {PROTOCOL_VERSION}, received {hello.protocol}"
            return self._refuse(source, hello.incarnation, "version", detail)
        if source != BS and not 0 <= hello.user < self._config.users:
            detail = f"expected a user below {self._config.users}, received {hello.user}"
            return self._refuse(source, hello.incarnation, "unknown_user", detail)
        known = self._peers.get(source)
        if known is not None and hello.incarnation < known.incarnation:
            return self._fence(source, hello.incarnation, known.incarnation)
        return self._base_station(hello, now_s) if source == BS else self._user(source, hello, now_s)

    def on_sign_of_life(self, source: str, message: Message, now_s: float) -> tuple[str, list[Action]]:
        """Any message but Hello: the reason why it must go no further ('' if it may), and what to do."""
        peer = self._peers.get(source)
        incarnation = getattr(message, "incarnation", None)
        if peer is None:
            return "sender_not_attached", self._stranger(source, message)
        if incarnation is not None and incarnation < peer.incarnation:
            return "fenced", self._fence(source, incarnation, peer.incarnation)
        if incarnation is not None and incarnation > peer.incarnation:
            return "sender_not_attached", []  # a newer one that has not introduced itself
        if not peer.attached:
            return "sender_gone", []
        peer.heard_s, peer.spoke = now_s, True
        return "", []

    @staticmethod
    def _stranger(source: str, message: Message) -> list[Action]:
        """A heartbeat of a session that another incarnation of the emulator had: it must begin anew."""
        if not isinstance(message, Heartbeat):
            return []
        user, detail = user_of_peer(source), "this emulator has just begun"
        told = Refused(user=user, incarnation=message.incarnation, code="not_attached", detail=detail)
        return [Send(source, told)]

    def on_bye(self, source: str) -> list[Action]:
        """A peer leaves in good order: it hears the same, behind all that was on its way to it."""
        if not self.attached(source):
            return []
        bye = Bye(user=user_of_peer(source), incarnation=self._peers[source].incarnation)
        return [*self._detach(source, "said goodbye"), Send(source, bye)]

    def on_tick(self, now_s: float) -> list[Action]:
        """Heartbeats when it is time; peers that were silent for too long are gone."""
        actions: list[Action] = []
        if self._quiet or self._look_s is None or self._next_beat_s is None:
            return actions
        if now_s >= self._look_s:
            actions += self._bury_the_silent(now_s)
        if now_s >= self._next_beat_s:
            self._next_beat_s = now_s + self._heartbeat_s
            self._sequence += 1
            actions += [
                Send(
                    name,
                    Heartbeat(user=user_of_peer(name), incarnation=peer.incarnation, sequence=self._sequence),
                )
                for name, peer in self._peers.items()
                if peer.attached
            ]
        return actions

    # --- attaching ------------------------------------------------------------------------------------

    def _base_station(self, hello: Hello, now_s: float) -> list[Action]:
        actions = self._attach(BS, hello, now_s)
        for name, peer in sorted(self._peers.items(), key=lambda item: user_of_peer(item[0])):
            if name == BS or not peer.attached:
                continue
            if peer.fingerprint != hello.fingerprint:
                actions += self._detach(name, "the base station's bundle differs")
                actions += self._mismatch(name, peer.incarnation, peer.fingerprint, hello.fingerprint)
            else:
                actions += self._tell_station(name, peer, "attached")
        held, self._held = self._held, {}
        for name in sorted(held, key=user_of_peer):
            actions += self._user(name, held[name], now_s)
        return actions

    def _user(self, source: str, hello: Hello, now_s: float) -> list[Action]:
        station = self._peers.get(BS)
        if station is None:
            waiting = self._held.get(source)
            if waiting is not None and hello.incarnation < waiting.incarnation:
                return self._fence(source, hello.incarnation, waiting.incarnation)
            self._held[source] = hello
            return []
        if hello.fingerprint != station.fingerprint:
            return self._mismatch(source, hello.incarnation, hello.fingerprint, station.fingerprint)
        if self._merely_repeats(source, hello):
            return self._attach(source, hello, now_s)
        actions = self._attach(source, hello, now_s)
        return actions + self._tell_station(source, self._peers[source], "attached")

    def _merely_repeats(self, name: str, hello: Hello) -> bool:
        """The peer has said nothing but this Hello since it was welcomed: the two crossed on their way.

        One that had spoken since and says Hello again has lost us, and counts its credit from nothing: so
        must the hub, and the base station must know that frames may be lost.
        """
        known = self._peers.get(name)
        if known is None or not known.attached or known.spoke:
            return False
        return (known.incarnation, known.fingerprint) == (hello.incarnation, hello.fingerprint)

    def _attach(self, name: str, hello: Hello, now_s: float) -> list[Action]:
        welcome = Send(name, self._welcome(name, hello.incarnation))
        if self._merely_repeats(name, hello):
            self._peers[name].heard_s = now_s
            return [welcome]
        actions = self._detach(name, f"incarnation {hello.incarnation} says hello")
        self._peers[name] = _Peer(hello.incarnation, hello.fingerprint, attached=True, heard_s=now_s)
        deadline_s = now_s + self._timeout_s
        self._look_s = deadline_s if self._look_s is None else min(self._look_s, deadline_s)
        if self._next_beat_s is None:
            self._next_beat_s = now_s + self._heartbeat_s
        return [*actions, welcome, self._record("attached", name, hello.incarnation, "")]

    # --- leaving --------------------------------------------------------------------------------------

    def _detach(self, name: str, detail: str) -> list[Action]:
        peer = self._peers.get(name)
        if peer is None or not peer.attached:
            return []
        peer.attached = False
        actions: list[Action] = [Disconnect(name), self._record("detached", name, peer.incarnation, detail)]
        return actions if name == BS else actions + self._tell_station(name, peer, "detached")

    def _bury_the_silent(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        for name, peer in self._peers.items():
            if peer.attached and now_s - peer.heard_s >= self._timeout_s:
                actions += self._detach(name, f"silent for {self._timeout_s:g} s")
        alive = [p.heard_s for p in self._peers.values() if p.attached]
        self._look_s = min(alive) + self._timeout_s if alive else now_s + self._timeout_s
        return actions

    # --- messages -------------------------------------------------------------------------------------

    def _welcome(self, name: str, incarnation: int) -> Welcome:
        return Welcome(
            user=user_of_peer(name),
            incarnation=incarnation,
            snr_db=self._snr_db(name),
            credit_bytes=self._config.limits.credit_bytes,
        )

    def _tell_station(self, name: str, peer: _Peer, state: str) -> list[Action]:
        """A user came or went. A base station that is away learns of all who are there when it is back."""
        if not self.attached(BS):
            return []
        message = PeerState(
            user=user_of_peer(name), incarnation=peer.incarnation, state=state, snr_db=self._snr_db(name)
        )
        return [Send(BS, message)]

    def _snr_db(self, name: str) -> float:
        """Average Es/N0 per channel use in dB (N0 = 10^(-SNR/10), N0/2 per real dimension), of a user; the
        base station, which learns each user's by `PeerState`, gets the mean over users."""
        if name != BS:
            return self._config.channel.snr_db_of(user_of_peer(name))
        values = self._config.channel.snr_db
        return sum(values) / len(values) if isinstance(values, tuple) else values

    def _mismatch(self, name: str, incarnation: int, own: str, station: str) -> list[Action]:
        detail = f"weights differ: the base station's bundle is {station[:16]}, this one's is {own[:16]}"
        return self._refuse(name, incarnation, "fingerprint", detail)

    def _fence(self, name: str, incarnation: int, current: int) -> list[Action]:
        detail = f"incarnation {incarnation} has been replaced by {current}"
        return self._refuse(name, incarnation, "fenced", detail)

    def _refuse(self, name: str, incarnation: int, code: str, detail: str) -> list[Action]:
        what = "fenced" if code == "fenced" else "refused"
        refused = Refused(user=user_of_peer(name), incarnation=incarnation, code=code, detail=detail)
        return [
            Send(name, refused),
            self._record(what, name, incarnation, detail),
        ]

    def _record(self, what: str, name: str, incarnation: int, detail: str) -> Record:
        return Record("process", {"what": what, "peer": name, "incarnation": incarnation, "detail": detail})
