"""The channel emulator: the air between the base station and its users, and the keeper of their sessions.

Every message has one place to go; anything unknown, out of protocol or damaged is a counted drop with a
reason, never an exception.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from channel_emulator.air import Air
from channel_emulator.fan_out import FanOut
from channel_emulator.faults.chain import FaultChain, TooManyFaults
from channel_emulator.faults.memory import FIRST_MESSAGE, FaultMemory
from channel_emulator.faults.schedule import Change
from channel_emulator.passage import Passage
from channel_emulator.relay import Relay
from channel_emulator.session import BS, Session
from shared.accounting import RELAYED, class_of
from shared.actions import Action, Drop, Record, Tell
from shared.fault_config import parse_fault
from shared.spec import RoleSpec
from shared.wire.messages import (
    Answer,
    AnswerAck,
    Bye,
    Cancel,
    Command,
    Credit,
    Done,
    Feedback,
    Heartbeat,
    Hello,
    Inject,
    Message,
    Progress,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
)

PROGRESS_S = 0.5
_SOURCE = re.compile(r"bs|ue:[0-9]{1,5}")


class ChannelEmulator:
    """The role object: events and time in, actions out."""

    def __init__(self, spec: RoleSpec, memory: FaultMemory | None = None) -> None:
        config = spec.config
        self._spec = spec
        self._ready = False
        self._counts: Counter[str] = Counter()
        self._session = Session(config)
        self._faults = FaultChain(config.channel.faults, config.seed, memory)
        self._passage = Passage(self._session, self._counts)
        self._fan_out = FanOut(
            config.users, self._session, Air(config), self._faults, self._passage, self._counts
        )
        self._relay = Relay(self._session, self._faults, self._passage, self._counts)
        self._next_progress_s: float | None = None
        self._quiet = self._draining = False

    def on_message(self, message: Message, now_s: float, source: str) -> list[Action]:
        """A message from 'bs' or 'ue:<user>'."""
        if _SOURCE.fullmatch(source) is None:
            return self._dropped(source, message, "unknown_source")
        if isinstance(message, Hello):
            return self._session.on_hello(source, message, now_s)
        reason, actions = self._session.on_sign_of_life(source, message, now_s)
        if reason:
            return actions + self._unheard(source, message, reason)
        if class_of(message) in RELAYED:
            if not self._faults.has_begun:
                self._faults.begin(now_s)
                actions.append(self._process(FIRST_MESSAGE))
            actions += _recorded(self._faults.changes(now_s))
        return actions + self._from_peer(source, message, now_s)

    def on_control(self, message: Message, now_s: float) -> list[Action]:
        """`drain` is done when nothing is held back. Other verbs are the process shell's."""
        if isinstance(message, Inject):
            return self._inject(message, now_s)
        if isinstance(message, Command) and message.verb == "drain":
            self._draining = True
        return self._drained()

    def _inject(self, message: Inject, now_s: float) -> list[Action]:
        """One more fault; or, with none in the message, the end of all."""
        if not message.fault:
            told = self._faults.heal()
            ended = sum(change.what == "end" for change in told)
            return [*_recorded(told), self._done("inject", {"ended": ended})]
        try:
            name, config = self._faults.inject(parse_fault(json.loads(message.fault)), now_s)
        except (ValueError, TooManyFaults) as error:
            return [self._done("inject", {"refused": " ".join(str(error).split())[:500]})]
        put_in = {"what": "inject", "fault": name, "config": config.model_dump(mode="json")}
        return [Record("fault", put_in), self._done("inject", {"fault": name})]

    def _drained(self) -> list[Action]:
        if not self._draining or len(self._passage):
            return []
        self._draining = False
        done = self._done("drain", self.progress_values())
        return [*_recorded(self._faults.heal()), self._process("drained"), done]

    def on_tick(self, now_s: float) -> list[Action]:
        """Heartbeats, peers that fell silent, and progress. The first tick means that the hub is open."""
        actions: list[Action] = [] if self._ready else [self._process("ready")]
        self._ready = True
        actions += _recorded(self._faults.changes(now_s))
        actions += self._session.on_tick(now_s) + self._passage.on_tick(now_s) + self._drained()
        if not self._quiet and (self._next_progress_s is None or now_s >= self._next_progress_s):
            self._next_progress_s = now_s + PROGRESS_S
            actions.append(Tell(Progress(role="ce", user=self._spec.user, values=self.progress_values())))
        return actions

    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]:
        """The emulator computes in place: its work is shorter than a hand-over to a thread."""
        return []

    def next_wakeup_s(self, now_s: float) -> float | None:
        if self._quiet:
            return None
        mine = now_s if self._next_progress_s is None else self._next_progress_s
        others = (
            self._session.next_wakeup_s(now_s),
            self._passage.next_wakeup_s(),
            self._faults.next_change_s(),
        )
        return min([mine, *(other for other in others if other is not None)])

    def quiesce(self) -> list[Action]:
        """Send nothing more of one's own accord: no heartbeats, no progress; what arrives is still served."""
        self._quiet = True
        self._session.quiesce()
        return self._passage.give_up()

    def progress_values(self) -> dict[str, int]:
        """Counts since the start: passed on and dropped, channel uses received, strikes of each fault."""
        names = ("frames_down", "messages_down", "messages_up", "dropped", "channel_uses")
        values = {name: self._counts[name] for name in names}
        values |= {f"fault_{name}": count for name, count in self._faults.strikes.items()}
        values["attached"] = len(self._session.attached_users())
        return values

    def _done(self, verb: str, values: Mapping[str, int | str]) -> Tell:
        return Tell(Done(role="ce", user=self._spec.user, verb=verb, values=dict(values)))

    def _process(self, what: str) -> Record:
        return Record("process", {"what": what, "incarnation": self._spec.incarnation, "detail": ""})

    # --- where a message goes -------------------------------------------------------------------------

    def _from_peer(self, source: str, message: Message, now_s: float) -> list[Action]:
        match message:
            case Heartbeat() | Credit():
                return []  # a sign of life; credit itself is the hub's business
            case Bye():
                return self._session.on_bye(source)
            case SymbolFrame() if source == BS:
                return self._fan_out.frame(message, now_s)
            case SideInfo() | Cancel() | AnswerAck() if source == BS:
                return self._fan_out.message(message, now_s)
            case Feedback() | Answer() | UplinkRequest() if source != BS:
                return self._relay.message(message, source, now_s)
        return self._dropped(source, message, "out_of_protocol")

    def _unheard(self, source: str, message: Message, reason: str) -> list[Action]:
        """Drops for a message whose sender has no say: for each receiver it would have had."""
        match message:
            case SymbolFrame() | SideInfo() | Cancel() | AnswerAck() if source == BS:
                return self._fan_out.refuse(message, reason)
            case Feedback() | Answer() | UplinkRequest() if source != BS:
                return self._dropped(BS, message, reason)
        return self._dropped(source, message, reason)

    def _dropped(self, to: str, message: Message, reason: str) -> list[Action]:
        self._counts["dropped"] += 1
        return [Drop(to, message, reason)]


def _recorded(changes: Sequence[Change]) -> list[Action]:
    """For the journal; of what does nothing, nothing."""
    return [
        Record("fault", {"what": change.what, "fault": change.fault, "strikes": change.strikes})
        for change in changes
        if not change.fault.startswith("noop.")
    ]
