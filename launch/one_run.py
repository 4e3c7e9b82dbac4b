"""One run to its end, for commands that make many: lines about it go to standard error."""

import sys
from pathlib import Path
from typing import Any

from launch.cluster_check import checked
from launch.dashboard.address import Address
from launch.displays import LineDisplay
from launch.errors import Interrupted
from launch.front import Display, Front
from launch.runfolder import create_run_folder, read_summary
from launch.signals import StopSignals
from shared.config import RunConfig


def run_to_end(
    config: RunConfig, folder: Path, display: Display | None = None, dashboard: Address | None = None
) -> dict[str, Any]:
    """The summary, whatever the verdict. `dashboard`: where the run's page shall be.

    Raises `Interrupted`, and `LaunchError` and `ConfigError` as `m4sc run` does.
    """
    config = checked(config)
    with StopSignals() as signals:
        run_dir = create_run_folder(config, folder)
        Front(config, run_dir, signals, display or LineDisplay(sys.stderr), dashboard=dashboard).run()
        if signals.received:
            raise Interrupted(f"stopped by {signals.received[0].name}")
    return read_summary(run_dir)
