"""Faults on the processes of roles: what a configuration may say of each."""

from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ProcessFaultConfig(BaseModel):
    """A fault on the process of a role, `at_s` after the workload began.

    kill: SIGKILL; the role is started again. pause: SIGSTOP, and SIGCONT after `for_s`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    fault: Literal["kill", "pause"]
    role: str = Field(pattern=r"^(bs|ce|ue-[0-9]{1,5})$")
    at_s: float = Field(ge=0.0, le=1e6)
    for_s: float | None = Field(None, gt=0.0, le=1e6)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.fault == "pause") != (self.for_s is not None):
            raise ValueError("for_s: a pause has it, a kill has not")
        return self


PROCESS_FAULTS: Final[tuple[str, ...]] = get_args(ProcessFaultConfig.model_fields["fault"].annotation)


def parse_process_fault(data: Any) -> ProcessFaultConfig:
    """One fault from a plain map. Raises pydantic's `ValidationError`."""
    return ProcessFaultConfig.model_validate(data)
