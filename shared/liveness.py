"""A peer's side of its session with the channel emulator: hello, heartbeats, giving up.

    seeking --Welcome--> attached --silence of liveness.timeout_ms, or 'not attached'--> seeking ...
    seeking for longer than cluster.start_timeout_s, or Refused --> closed (the role exits)

The same incarnation says Hello again after a loss, so a restarted emulator learns its peers from them.
Credit is the link's business (`shared.peer_core`): it starts from nothing at every Hello.
Pure logic: time is an argument, in seconds of one monotonic clock.
"""

from enum import Enum

from shared.actions import Action, Exit, Record, Send, Tell
from shared.spec import RoleSpec
from shared.wire.messages import (
    PROTOCOL_VERSION,
    Heartbeat,
    Hello,
    Message,
    Ready,
    Refused,
    RoleFailed,
    Welcome,
)

EXIT_REFUSED = 2  # the emulator does not accept this peer (version, fingerprint, unknown user)
EXIT_FENCED = 4  # a newer incarnation of this role has taken its place
EXIT_NO_EMULATOR = 5  # nobody answered for longer than cluster.start_timeout_s


class SessionState(Enum):
    SEEKING = "seeking"
    ATTACHED = "attached"
    CLOSED = "closed"


class PeerSession:
    """Hello until Welcome, then heartbeats both ways. `epoch` counts attachments: a change means 'anew'."""

    def __init__(self, spec: RoleSpec, fingerprint: str, pid: int) -> None:
        self._spec = spec
        self._fingerprint = fingerprint
        self._pid = pid
        self._heartbeat_s = spec.config.liveness.heartbeat_ms / 1e3
        self._timeout_s = spec.config.liveness.timeout_ms / 1e3
        self._give_up_s = spec.config.cluster.start_timeout_s
        self._next_send_s: float | None = None
        self._seeking_since_s: float | None = None
        self.heard_s = 0.0
        self._sequence = 0
        self._quiet = False
        self.state = SessionState.SEEKING
        self.epoch = 0
        self.welcome: Welcome | None = None

    @property
    def attached(self) -> bool:
        return self.state is SessionState.ATTACHED

    def quiesce(self) -> None:
        """Send nothing more of one's own accord; silence of the emulator no longer matters."""
        self._quiet = True

    def next_wakeup_s(self, now_s: float) -> float | None:
        if self._quiet or self.state is SessionState.CLOSED:
            return None
        if self._next_send_s is None:
            return now_s
        if self.attached:
            return min(self._next_send_s, self.heard_s + self._timeout_s)
        return self._next_send_s

    def on_tick(self, now_s: float) -> list[Action]:
        """Hello or heartbeat when it is time; loss of the emulator after too long a silence."""
        if self._quiet or self.state is SessionState.CLOSED:
            return []
        actions: list[Action] = []
        if self._seeking_since_s is None:
            self._seeking_since_s = now_s
        if self.attached and now_s - self.heard_s >= self._timeout_s:
            actions += self._lost(now_s, f"the emulator was silent for {self._timeout_s:g} s")
        if not self.attached and now_s - self._seeking_since_s >= self._give_up_s:
            return actions + self._close(
                EXIT_NO_EMULATOR, "detached", f"no channel emulator answered for {self._give_up_s:g} s"
            )
        if self._next_send_s is None or now_s >= self._next_send_s:
            self._next_send_s = now_s + self._heartbeat_s
            actions.append(Send("ce", self._heartbeat() if self.attached else self._hello()))
        return actions

    def on_message(self, message: Message, now_s: float) -> list[Action]:
        """Every message from the emulator is a sign of life; `Welcome` and `Refused` are acted upon."""
        if self.state is SessionState.CLOSED:
            return []
        self.heard_s = now_s
        if isinstance(message, Welcome):
            return self._welcomed(message, now_s)
        if isinstance(message, Refused) and message.code == "not_attached":
            mine = self.attached and self._concerns_me(message)
            return self._lost(now_s, "the emulator does not know this peer") if mine else []
        if isinstance(message, Refused) and self._concerns_me(message):
            code = EXIT_FENCED if message.code == "fenced" else EXIT_REFUSED
            what = "fenced" if message.code == "fenced" else "refused"
            return self._close(code, what, f"refused by the emulator: {message.code}: {message.detail}")
        return []

    def _concerns_me(self, message: Welcome | Refused) -> bool:
        """An older incarnation had the same address: what was meant for it may arrive here."""
        return message.user == self._spec.user and message.incarnation in (None, self._spec.incarnation)

    def _welcomed(self, message: Welcome, now_s: float) -> list[Action]:
        if self.attached or not self._concerns_me(message):
            return []
        self.state = SessionState.ATTACHED
        self.welcome = message
        self.epoch += 1
        self._next_send_s = now_s + self._heartbeat_s
        actions: list[Action] = [self._process("attached", "")]
        if self.epoch == 1:
            actions += [self._process("ready", ""), Tell(self._ready())]
        return actions

    def _lost(self, now_s: float, why: str) -> list[Action]:
        self.state = SessionState.SEEKING
        self._seeking_since_s = now_s
        self._next_send_s = now_s
        return [self._process("detached", why)]

    def _close(self, code: int, what: str, detail: str) -> list[Action]:
        self.state = SessionState.CLOSED
        detail = detail[:2_048]
        actions: list[Action] = [self._process(what, detail)]
        if code != EXIT_FENCED:  # the agent must not take the fenced one's end for its successor's
            actions.append(
                Tell(RoleFailed(role=self._spec.role, user=self._spec.user, exit_code=code, detail=detail))
            )
        return [*actions, Exit(code, detail)]

    def _process(self, what: str, detail: str) -> Record:
        return Record("process", {"what": what, "incarnation": self._spec.incarnation, "detail": detail})

    def _hello(self) -> Hello:
        return Hello(
            protocol=PROTOCOL_VERSION,
            role=self._spec.role,
            user=self._spec.user,
            incarnation=self._spec.incarnation,
            fingerprint=self._fingerprint,
        )

    def _heartbeat(self) -> Heartbeat:
        self._sequence += 1
        return Heartbeat(user=self._spec.user, incarnation=self._spec.incarnation, sequence=self._sequence)

    def _ready(self) -> Ready:
        return Ready(
            role=self._spec.role,
            user=self._spec.user,
            incarnation=self._spec.incarnation,
            pid=self._pid,
            endpoint="",
            fingerprint=self._fingerprint,
        )
