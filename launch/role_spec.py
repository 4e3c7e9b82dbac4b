"""A `RoleSpec` as a plain map, for the way from the agent to the process that becomes the role."""

from pathlib import Path
from typing import Any

from shared.config_file import parse_config
from shared.keys import RoleKeys
from shared.spec import RoleSpec


def spec_to_map(spec: RoleSpec) -> dict[str, Any]:
    """JSON values only, secret keys among them: for a pipe, not for a file."""
    fields = {name: getattr(spec, name) for name in RoleSpec.__slots__}
    return {
        **fields,
        "config": spec.config.model_dump(mode="json"),
        "run_dir": str(spec.run_dir),
        "keys": None if spec.keys is None else spec.keys.to_map(),
    }


def spec_from_map(values: dict[str, Any]) -> RoleSpec:
    """Inverse of `spec_to_map`."""
    config = parse_config(values["config"], "role spec")
    keys = None if values["keys"] is None else RoleKeys.from_map(values["keys"])
    return RoleSpec(**{**values, "config": config, "run_dir": Path(values["run_dir"]), "keys": keys})
