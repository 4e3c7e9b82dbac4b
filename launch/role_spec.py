"""A `RoleSpec` as a plain map, for the way from the agent to the process that becomes the role."""

from pathlib import Path
from typing import Any

from shared.config_file import parse_config
from shared.spec import RoleSpec


def spec_to_map(spec: RoleSpec) -> dict[str, Any]:
    """JSON values only."""
    fields = {name: getattr(spec, name) for name in RoleSpec.__slots__}
    return {**fields, "config": spec.config.model_dump(mode="json"), "run_dir": str(spec.run_dir)}


def spec_from_map(values: dict[str, Any]) -> RoleSpec:
    """Inverse of `spec_to_map`."""
    config = parse_config(values["config"], "role spec")
    return RoleSpec(**{**values, "config": config, "run_dir": Path(values["run_dir"])})
