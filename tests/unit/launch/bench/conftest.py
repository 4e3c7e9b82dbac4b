"""What benches of this folder need."""

from pathlib import Path
from typing import Any

import pytest

from launch.bench.testbed import Runs
from shared.config import RunConfig


@pytest.fixture
def no_runs(tmp_path: Path) -> Runs:
    """For benches that start no testbed."""

    def refuse(config: RunConfig, folder: Path) -> dict[str, Any]:
        raise AssertionError(f"{config.name}: this bench was to start nothing")

    return Runs(tmp_path, refuse)
