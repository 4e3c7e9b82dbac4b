"""What an agent can be asked to do, in process or as an actor."""

import json
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.event_box import AgentEvent
from launch.role_table import CrashReport
from shared.config import RunConfig
from shared.schemes import scheme_of
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Ready

if TYPE_CHECKING:
    from launch.ordered_stop import Settled

ROLE_MODULES = {"bs": "basestation.process", "ce": "channel_emulator.process", "ue": "userequipment.process"}
ROLE_MODULES_VARIABLE = "M4SC_ROLE_MODULES"
"""JSON {role: module}: other mains for roles, by which tests run deliberately broken builds."""
WARM_ROLES = ("bs", "ue")
"""Roles with a model: forked from the forkserver that imported it. The emulator must not even see it."""


WARM_MODULES = ("torch", "transformers.models.gemma2.modeling_gemma2")
CODED_AIR_MODULES = ("sionna.phy.fec.crc", "sionna.phy.fec.ldpc", "sionna.phy.mapping")
"""What `shared.air.transport` and `shared.air.ldpc` import when they are first used, which takes seconds."""


def warm_modules(config: RunConfig) -> tuple[str, ...]:
    """What is worth importing once, before roles are forked."""
    scheme, channel = scheme_of(config.scheme), config.channel
    coded = scheme.coded or channel.mode == "digital" or channel.side_info == "ldpc"
    halves = (path.partition(":")[0] for path in (scheme.sender, scheme.receiver))
    return (*WARM_MODULES, *halves, *(CODED_AIR_MODULES if coded else ()))


def role_modules() -> dict[str, str]:
    """Which module's `main(spec)` is a role, by role."""
    return {**ROLE_MODULES, **json.loads(os.environ.get(ROLE_MODULES_VARIABLE, "{}"))}


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """`owner_pid`: the process on this host with which the agent ends; None on another host.

    `role_modules` says which module's `main(spec)` is a role, `warm_modules` what is imported before forking
    roles with a model, beyond those modules themselves. `curve_users`: for how many users (and the other
    roles) the agent makes CURVE keys; 0: links without CURVE. `sample_every_s`: how often it is noted what
    processes use, if at all. `kinds` of roles that it may be asked for. `lease_s`: on another host than the
    command's, where `run_dir` does not exist: it makes a folder of its own, and ends when it has been asked
    nothing for so long. `early`: forkservers that wait for it, label and socket.
    """

    run_id: str
    run_dir: Path
    host: str
    owner_pid: int | None = None
    role_modules: dict[str, str] = field(default_factory=lambda: dict(ROLE_MODULES))
    warm_modules: tuple[str, ...] = WARM_MODULES
    curve_users: int = 0
    sample_every_s: float | None = None
    kinds: tuple[str, ...] = tuple(ROLE_MODULES)
    lease_s: float | None = None
    early: dict[str, str] = field(default_factory=dict)

    def forkservers(self) -> dict[str, tuple[str, ...]]:
        """The labels of the forkservers that it needs, and what each imports."""
        warm = (*self.warm_modules, *(self.role_modules[role] for role in WARM_ROLES))
        modules = {"warm": warm, "light": (self.role_modules["ce"],)}
        return {label: modules[label] for label in dict.fromkeys(map(forkserver_of, self.kinds))}


def forkserver_of(role: str) -> str:
    """The label of the forkserver from which a role is forked."""
    return "warm" if role in WARM_ROLES else "light"


@dataclass(frozen=True, slots=True)
class StopBudget:
    """How long each step of an ordered stop may take, in seconds.

    `sample_s`: the last look at what processes use; 0: there is none.
    """

    drain_s: float = 60.0
    quiesce_s: float = 5.0
    counters_s: float = 5.0
    sample_s: float = 15.0
    exit_s: float = 5.0

    @property
    def total_s(self) -> float:
        return self.drain_s + self.quiesce_s + self.counters_s + self.sample_s + self.exit_s


HURRIED = StopBudget(drain_s=0.3, quiesce_s=0.4, counters_s=0.3, sample_s=0.0, exit_s=0.6)
"""For a stop that somebody waits for: what is open stays open, its outcome unknown."""


@dataclass(frozen=True, slots=True)
class StopReport:
    """How a stop went. `roles` as in the summary; `late` names who missed which step."""

    roles: list[dict[str, Any]]
    drained: bool = True
    counters_equal: bool = True
    late: dict[str, list[str]] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    crashes: list[CrashReport] = field(default_factory=list)
    kernel: dict[str, dict[str, Any]] = field(default_factory=dict)

    def after(self, settled: "Settled") -> "StopReport":
        """With how the steps before the last one went."""
        return replace(
            self,
            drained=settled.drained,
            counters_equal=settled.counters_equal,
            late=settled.late | self.late,
        )


class AgentApi(ABC):
    """Starts, watches, restarts and stops the role processes of one host. Calls may come from any thread.

    Every method raises `LaunchError` when it cannot do what is asked.
    """

    @abstractmethod
    def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        """Start the roles and wait until all are ready; names those that are not within `timeout_s`."""

    @abstractmethod
    def begin(self) -> None:
        """Let the base station begin its workload."""

    @abstractmethod
    def ask(self, question: Ask, timeout_s: float) -> AskResult:
        """Put one request to the base station and wait for its terminal state."""

    @abstractmethod
    def events(self, timeout_s: float) -> list[AgentEvent]:
        """What happened since the last call; waits up to `timeout_s` for the first."""

    @abstractmethod
    def start(self, spec: RoleSpec) -> None:
        """Start a role without waiting; the event 'ready' tells when it is."""

    @abstractmethod
    def start_next(self, name: str, beside: bool = False) -> None:
        """Start the next incarnation of a role that has ended; `beside`: of one that need not have."""

    @abstractmethod
    def end(self, name: str) -> None:
        """Ask a role that is ready to leave in good order (SIGTERM); the event 'ended' tells when it has."""

    @abstractmethod
    def signal(self, name: str, number: int, incarnation: int | None = None) -> None:
        """Send a signal to a role's process, which is ready; of a certain incarnation, whatever it does."""

    @abstractmethod
    def slow(self, name: str, cpu_share: float, for_s: float) -> None:
        """Give a role that is ready at most this share of a core, until `go_on` or for `for_s`."""

    @abstractmethod
    def fill_disk(self, name: str) -> None:
        """Let a role that is ready find no room for what it writes to files, until `go_on`."""

    @abstractmethod
    def go_on(self, name: str) -> None:
        """End what slows a role down and what fills its disk, and continue it."""

    @abstractmethod
    def inject(self, fault: str) -> dict[str, Any]:
        """One more fault on messages, as JSON, or '' for the end of all: what the emulator says of it."""

    @abstractmethod
    def roles(self) -> list[dict[str, Any]]:
        """Every role: {role, user, pid, host, incarnation, exit_code, fingerprint}."""

    @abstractmethod
    def stop(self, budget: StopBudget) -> StopReport:
        """Drain, quiesce, wait for equal counters, stop; kill what does not; reap everything."""
