"""What an agent can be asked beyond `AgentApi` when it is one of several hosts' (`launch.host_group`)."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from launch.agent_api import AgentApi, StopBudget, StopReport
from shared.keys import Guest
from shared.wire.messages import Done

PIECE_BYTES = 4 * 2**20
"""Of a file at a time: what Ray carries without its object store filling up."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`boot_id` names the boot whose monotonic clock says `t_s`: hosts with the same one share a clock."""

    boot_id: str
    t_s: float


class HostApi(AgentApi):
    """Every method raises `LaunchError` when it cannot do what is asked."""

    @abstractmethod
    def join(self, data_network: str | None, node_address: str, bundle: str | None) -> str:
        """Be one of several hosts: the address that roles bind to; `bundle`: where it is on this host."""

    @abstractmethod
    def introduce(self, names: list[str]) -> dict[str, Guest]:
        """What hubs on other hosts must know of these roles; nothing without CURVE."""

    @abstractmethod
    def learn(self, guests: dict[str, Guest]) -> None:
        """What roles of other hosts said of themselves; before a role starts here."""

    @abstractmethod
    def find_bundle(self, bundle: str, fingerprint: str) -> str | None:
        """Where a bundle of this fingerprint is on this host: where named, or kept of an earlier run."""

    @abstractmethod
    def put_bundle(self, fingerprint: str, name: str, offset: int, data: bytes) -> None:
        """A piece of a bundle's file."""

    @abstractmethod
    def keep_bundle(self, fingerprint: str) -> str:
        """The pieces are all there: checks every byte; where it is kept."""

    @abstractmethod
    def put_file(self, name: str, offset: int, data: bytes) -> None:
        """A piece of a file of the run folder on this host."""

    @abstractmethod
    def up(self, role: str = "") -> list[str]:
        """Roles that can follow a command; of one kind."""

    @abstractmethod
    def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        """Give a command to roles and gather what answers in time."""

    @abstractmethod
    def finish(self, budget: StopBudget) -> StopReport:
        """The last step of a stop, when all is settled: every role ends."""

    @abstractmethod
    def clock(self) -> Clock:
        """What time it is here."""

    @abstractmethod
    def files(self) -> list[tuple[str, int]]:
        """What the run has left on this host: name in the run folder, and size in bytes."""

    @abstractmethod
    def read_file(self, name: str, offset: int) -> bytes:
        """At most `PIECE_BYTES` of such a file."""

    @abstractmethod
    def leave(self) -> None:
        """Nothing of the run may be left on this host: its folder is removed."""
