"""What every section of a configuration has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Section(BaseModel):
    """Unknown keys are errors, numbers are finite and fit a word, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _fits_a_word(cls, value: Any) -> Any:
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError("expected a number of at most 63 bits")
        return value
