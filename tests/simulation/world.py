"""All roles in one thread, with a fake clock and a network whose every delay and loss is decided by a seed.

The role objects are the real ones, the channel emulator included; the pipelines may be the real ones or the
stand-ins. Messages cross the real codec. Session messages are never lost (a connection is reliable while it
lasts); what crosses the emulator end to end is subject to `Mischief`.
"""

import heapq
import itertools
import json
import shutil
import tempfile
import weakref
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from basestation.group_job import Pipeline as SenderHalf
from basestation.image_door import BadInput
from basestation.pending import PendingStore
from basestation.recovery import resume_from
from basestation.role import BaseStation
from basestation.workload_file import WorkloadRequest
from channel_emulator.role import ChannelEmulator
from shared.actions import Action, Compute, Drop, Exit, Record, Send, Tell
from shared.config import RunConfig
from shared.link_types import encoded
from shared.routing import SESSION
from shared.spec import RoleSpec
from shared.wire.codec import decode, encode
from shared.wire.errors import ProtocolError
from shared.wire.messages import Ask, Command, Message, Refused, SymbolFrame
from tests.simulation.stand_ins import StandInGroupPipeline, StandInRequestPipeline
from userequipment.role import Pipeline as ReceiverHalf
from userequipment.role import UserEquipment

HOP_S = 0.001
_MAX_TICKS_AT_ONE_TIME = 50
_MAX_EVENTS = 200_000

Mischief = Callable[[Message, str, float], list[float]]
"""(message, receiver, now) -> extra delay in seconds of each copy that arrives: [] lost, [0, 0] doubled."""


def no_mischief(message: Message, to: str, now_s: float) -> list[float]:
    return [0.0]


class Dies(BaseException):
    """Raised by a job: the process ends, as by a signal, when the job would have been done."""


class Role(Protocol):
    def on_message(self, message: Message, now_s: float, source: str) -> list[Action]: ...
    def on_control(self, message: Message, now_s: float) -> list[Action]: ...
    def on_tick(self, now_s: float) -> list[Action]: ...
    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]: ...
    def next_wakeup_s(self, now_s: float) -> float | None: ...


@dataclass
class Node:
    """One process: its role object and its compute thread."""

    name: str
    incarnation: int
    role: Role
    compute_s: float
    alive: bool = True
    jobs: deque[Compute] = field(default_factory=deque)
    busy: bool = False
    wake_version: int = 0
    ticks_at: tuple[float, int] = (-1.0, 0)
    backlog: list[Callable[[], None]] | None = None  # of a frozen process
    exit: Exit | None = None


class World:
    """`journal` has all events; `tells` what went to agents; `transmissions` the base station's frames.

    `make_receiver` gives each process of a UE its own pipeline, where `receiver` serves them all. A process
    that ends by itself comes back after `back_after_s`; one that is killed, when a test starts it.
    """

    def __init__(
        self,
        config: RunConfig,
        workload: Sequence[WorkloadRequest] = (),
        *,
        images: dict[str, bytes] | None = None,
        mischief: Mischief = no_mischief,
        sender: SenderHalf | None = None,
        receiver: ReceiverHalf | None = None,
        make_receiver: Callable[[], ReceiverHalf] | None = None,
        encode_s: float = 0.02,
        decode_s: float = 0.03,
        back_after_s: float = 1.0,
    ) -> None:
        self.config = config
        self.now_s = 100.0
        self.journal: list[dict[str, Any]] = []
        self.tells: list[tuple[float, str, Message]] = []
        self.drops: Counter[str] = Counter()
        self.transmissions: Counter[tuple[int, int, int]] = Counter()  # (group, frame, user)
        self.sent: list[tuple[float, str, Message]] = []
        self.mischief = mischief
        self.disk = Path(tempfile.mkdtemp(prefix="m4sc-world-"))
        weakref.finalize(self, shutil.rmtree, self.disk, ignore_errors=True)
        self.deaths: Counter[str] = Counter()
        self._back_after_s = back_after_s
        self._begun = False
        self._actions_left: dict[str, int] = {}
        self._workload = workload
        self._images = images or {}
        self._sender = sender or StandInGroupPipeline()
        one_for_all = receiver or StandInRequestPipeline()
        self._make_receiver = make_receiver or (lambda: one_for_all)
        self._compute_s = {"bs": encode_s, "ce": 0.0, "ue": decode_s}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.nodes: dict[str, Node] = {}  # the newest incarnation of each
        self._incarnations: dict[tuple[str, int], Node] = {}
        for name in ("ce", "bs", *(f"ue:{u}" for u in range(config.users))):
            self.start(name)

    # --- what a test does -----------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """(Re)start a role, as the next incarnation; the base station goes on where the journal ends."""
        incarnation = self.nodes[name].incarnation + 1 if name in self.nodes else 0
        kind, _, user = name.partition(":")
        spec = RoleSpec(
            run_id="simulation",
            role=kind,
            user=int(user or -1),
            incarnation=incarnation,
            config=self.config,
            run_dir=Path("nowhere"),
            control_endpoint="",
            data_endpoint="",
            host="here",
        )
        role: Role
        if kind == "bs":
            role = self._base_station(spec)
        elif kind == "ce":
            role = ChannelEmulator(spec)
        else:
            role = UserEquipment(spec, self._make_receiver(), "print")
        node = self.nodes[name] = Node(name, incarnation, role, self._compute_s[kind])
        self._incarnations[name, incarnation] = node
        self._write(name, Record("process", {"what": "started", "incarnation": incarnation, "detail": ""}))
        self._wake(node)

    def kill(self, name: str) -> None:
        """The process is gone, with everything on its way to it, as the journal said it would."""
        on = name.replace(":", "-")
        fault = {"event": "fault", "what": "begin", "fault": "kill.0", "on": on, "strikes": 0}
        self.journal.append({"t": self.now_s, "role": "agent", "user": -1, **fault})
        self.nodes[name].alive = False

    def come_back(self, name: str) -> None:
        """Start a role again as the agent does: the workload goes on."""
        self.start(name)
        if name == "bs" and self._begun:
            self.command("bs", "start")

    def kill_amid(self, name: str, actions: int) -> None:
        """Kill a process after so many more actions of its role, between any two; it comes back."""
        self._actions_left[name] = actions

    def freeze(self, name: str) -> Node:
        """As SIGSTOP does: nothing is lost, nothing happens, until `thaw`."""
        self.nodes[name].backlog = []
        return self.nodes[name]

    def thaw(self, node: Node) -> None:
        backlog, node.backlog = node.backlog or [], None
        for event in backlog:
            event()

    def command(self, name: str, verb: str) -> None:
        """From the agent; what is said to a process that is not there is lost."""
        self._begun = self._begun or (name, verb) == ("bs", "start")
        self._control(name, Command(verb=verb))

    def ask(
        self, name: str, ask_id: str, user: int, text: str, image: bytes = b"", task: str = "vqa"
    ) -> None:
        self._control(name, Ask(ask_id=ask_id, user=user, task=task, text=text, payload=image))

    def deliver(self, source: str, to: str, message: Message) -> None:
        """As if `source` had sent it."""
        self._deliver(source, self.nodes[to], message)

    def at(self, time_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time_s, next(self._order), do))

    def run(self, for_s: float, until: Callable[[], bool] = lambda: False) -> None:
        """Advance the clock until nothing is left, `for_s` has passed, or `until` holds."""
        end_s = self.now_s + for_s
        for _ in range(_MAX_EVENTS):
            if until() or not self._events or self._events[0][0] > end_s:
                self.now_s = self.now_s if until() else end_s
                return
            time_s, _, do = heapq.heappop(self._events)
            self.now_s = max(self.now_s, time_s)
            do()
        raise AssertionError("the world does not come to rest")

    def run_workload(self, for_s: float = 600.0) -> None:
        """Start the workload and run until the base station reports its end."""
        self.command("bs", "start")
        self.run(for_s, until=lambda: bool(self.told("workload_done")))

    def told(self, kind: str) -> list[Message]:
        return [m for _, _, m in self.tells if kind == m.KIND]

    def events(self, *names: str, role: str = "bs") -> list[dict[str, Any]]:
        return [e for e in self.journal if e["event"] in names and e["role"] == role]

    # --- the machinery --------------------------------------------------------------------------------

    def _load(self, path: str) -> bytes:
        if path not in self._images:
            raise BadInput(f"image: {path}: cannot be read (no such file)")
        return self._images[path]

    def _base_station(self, spec: RoleSpec) -> BaseStation:
        pending = PendingStore(self.disk / "pending", self.config.limits)
        resume = resume_from(json.dumps(entry).encode() for entry in self.journal)
        half, clock = self._sender, lambda: 0.0
        return BaseStation(
            spec, half, self._workload, "print", self._load, pending, resume=resume, clock=clock
        )

    def _dies(self, node: Node) -> None:
        if node.alive:
            node.alive = False
            self.deaths[node.name] += 1
            self.at(self.now_s + self._back_after_s, lambda: self.come_back(node.name))

    def _fuse_burns(self, name: str) -> bool:
        """Whether the process is killed now, instead of its role's next action."""
        left = self._actions_left.get(name)
        if left is None:
            return False
        self._actions_left[name] = left - 1
        if left > 0:
            return False
        del self._actions_left[name]
        self.kill(name)
        self.at(self.now_s + self._back_after_s, lambda: self.come_back(name))
        return True

    def _write(self, name: str, record: Record) -> None:
        kind, _, user = name.partition(":")
        head = {"t": self.now_s, "role": kind, "user": int(user or -1), "event": record.event}
        self.journal.append(head | record.fields)

    def _control(self, name: str, message: Message) -> None:
        node = self.nodes[name]
        if node.alive:
            self._perform(node, node.role.on_control(message, self.now_s))

    def _perform(self, node: Node, actions: list[Action]) -> None:
        for action in actions:
            if not node.alive or self._fuse_burns(node.name):
                break
            if isinstance(action, Send):
                self._send(node, action)
            elif isinstance(action, Tell):
                encode(action.message)  # it must be fit for the wire
                self.tells.append((self.now_s, node.name, action.message))
            elif isinstance(action, Record):
                self._write(node.name, action)
            elif isinstance(action, Compute):
                node.jobs.append(action)
            elif isinstance(action, Drop):
                self.drops[action.reason] += 1
            elif isinstance(action, Exit):
                node.alive, node.exit = False, action
        self._compute(node)
        self._wake(node)

    def _send(self, node: Node, send: Send) -> None:
        message = send.message
        self.sent.append((self.now_s, node.name, message))
        if node.name == "bs" and isinstance(message, SymbolFrame):
            for user in message.users:
                self.transmissions[message.group_id, message.frame_id, user] += 1
        target = self.nodes.get(send.to)
        if isinstance(message, Refused) and message.incarnation is not None:
            target = self._incarnations.get((send.to, message.incarnation))  # its own connection
        if target is None:
            return
        parts = encoded(message, send.header_errors).parts
        if send.header_errors is not None:
            try:
                decode(parts)
            except ProtocolError as error:
                self.drops[error.reason] += 1  # at the receiver
                return
        delays = [0.0] if isinstance(message, SESSION) else self.mischief(message, send.to, self.now_s)
        for delay_s in delays:
            copy = decode([bytes(part) for part in parts])
            self.at(self.now_s + HOP_S + delay_s, lambda c=copy: self._deliver(node.name, target, c))

    def _deliver(self, source: str, target: Node, message: Message) -> None:
        if target.backlog is not None:
            target.backlog.append(lambda: self._deliver(source, target, message))
        elif target.alive:
            self._perform(target, target.role.on_message(message, self.now_s, source))

    def _compute(self, node: Node) -> None:
        if node.busy or not node.jobs or not node.alive:
            return
        compute = node.jobs.popleft()
        node.busy = True
        try:
            result = compute.job()
        except Dies:
            self.at(self.now_s + node.compute_s, lambda: self._dies(node))
            return
        except Exception as error:  # noqa: BLE001 - the process shell hands any failure to the role
            result = error
        self.at(self.now_s + node.compute_s, lambda: self._computed(node, compute.key, result))

    def _computed(self, node: Node, key: str, result: Any) -> None:
        if node.backlog is not None:
            node.backlog.append(lambda: self._computed(node, key, result))
            return
        node.busy = False
        if node.alive:
            self._perform(node, node.role.on_computed(key, result, self.now_s))

    def _wake(self, node: Node) -> None:
        """Schedule the next tick; a role that wants to be woken for ever at one time is broken."""
        node.wake_version += 1
        version, time_s = node.wake_version, node.role.next_wakeup_s(self.now_s)
        if time_s is None or not node.alive:
            return
        time_s = max(time_s, self.now_s)

        def tick() -> None:
            if node.backlog is not None:
                node.backlog.append(tick)
            elif node.alive and node.wake_version == version:
                last_s, count = node.ticks_at
                node.ticks_at = (self.now_s, count + 1 if self.now_s == last_s else 0)
                assert node.ticks_at[1] < _MAX_TICKS_AT_ONE_TIME, f"{node.name} spins"
                self._perform(node, node.role.on_tick(self.now_s))

        self.at(time_s, tick)
