"""Faults on the processes of roles: what a configuration may say of each.

Times count from the workload's begin.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Role = Annotated[str, Field(pattern=r"^(bs|ce|ue-[0-9]{1,5})$")]
UserRole = Annotated[str, Field(pattern=r"^ue-[0-9]{1,5}$")]
RoleOrAll = Annotated[str, Field(pattern=r"^(bs|ce|ue-[0-9]{1,5}|all)$")]
AtS = Annotated[float, Field(ge=0.0, le=1e6)]
ForS = Annotated[float, Field(gt=0.0, le=1e6)]


class ProcessFault(BaseModel):
    """Base of all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    role: str
    """Of which process: `bs`, `ce`, `ue-0`, `ue-1`, ...; of `disk_full` also `all`."""


class KillConfig(ProcessFault):
    """SIGKILL; the role is started again."""

    fault: Literal["kill"]
    role: Role
    at_s: AtS


class PauseConfig(ProcessFault):
    """SIGSTOP, and SIGCONT after `for_s`."""

    fault: Literal["pause"]
    role: Role
    at_s: AtS
    for_s: ForS


class SlowConfig(ProcessFault):
    """The role gets at most `cpu_share` of one core."""

    fault: Literal["slow"]
    role: Role
    at_s: AtS
    for_s: ForS
    cpu_share: float = Field(ge=0.05, le=0.9)


class RestartConfig(ProcessFault):
    """SIGTERM: the role leaves in good order, and is started again."""

    fault: Literal["restart"]
    role: Role
    at_s: AtS


class LeaveConfig(ProcessFault):
    """A UE leaves in good order, and is started again after `for_s`; without it never."""

    fault: Literal["leave"]
    role: UserRole
    at_s: AtS
    for_s: ForS | None = None


class LateConfig(ProcessFault):
    """A UE is started only `for_s` after the workload began, which does not wait for it."""

    fault: Literal["late"]
    role: UserRole
    for_s: ForS

    @property
    def at_s(self) -> float:
        return 0.0


class ReplaceConfig(ProcessFault):
    """SIGSTOP; the next incarnation is started beside the stopped one, which goes on after `for_s`."""

    fault: Literal["replace"]
    role: UserRole
    at_s: AtS
    for_s: ForS


class DiskFullConfig(ProcessFault):
    """What the role writes to files finds no room for `for_s`."""

    fault: Literal["disk_full"]
    role: RoleOrAll
    at_s: AtS
    for_s: ForS


Listed = (
    KillConfig
    | PauseConfig
    | SlowConfig
    | RestartConfig
    | LeaveConfig
    | LateConfig
    | ReplaceConfig
    | DiskFullConfig
)
ProcessFaultConfig = Annotated[Listed, Field(discriminator="fault")]
PROCESS_FAULT_CONFIGS: Final = {get_args(m.model_fields["fault"].annotation)[0]: m for m in get_args(Listed)}
"""The models by the names of the faults."""
_ADAPTER: Final[TypeAdapter[ProcessFaultConfig]] = TypeAdapter(ProcessFaultConfig)


def parse_process_fault(data: Any) -> ProcessFaultConfig:
    """One fault from a plain map. Raises pydantic's `ValidationError`."""
    return _ADAPTER.validate_python(data)


def late_users(faults: Iterable[Listed]) -> list[int]:
    """The users whom the workload's begin does not wait for."""
    return [int(fault.role[3:]) for fault in faults if isinstance(fault, LateConfig)]


def check_roles(faults: Iterable[Listed], users: int) -> None:
    """Raise `ValueError` for a user that is not there, or one that is late twice."""
    late: set[str] = set()
    for number, fault in enumerate(faults):
        if fault.role.startswith("ue-") and int(fault.role[3:]) >= users:
            raise ValueError(f"process_faults.{number}.role: there is no {fault.role} among {users}")
        if isinstance(fault, LateConfig) and fault.role in late:
            raise ValueError(f"process_faults.{number}.role: {fault.role} is late already")
        if isinstance(fault, LateConfig):
            late.add(fault.role)
