"""One run to its end, for commands that make many: lines about it go to standard error."""

import sys
from pathlib import Path
from typing import Any

from launch.agent_api import AgentSettings, role_modules, warm_modules
from launch.cluster_check import checked
from launch.dashboard.address import Address
from launch.displays import LineDisplay
from launch.errors import Interrupted
from launch.front import Display, Front
from launch.runfolder import create_run_folder, read_summary
from launch.signals import StopSignals
from launch.standby import Meeting, keeper
from shared.config import RunConfig


def run_to_end(
    config: RunConfig, folder: Path, display: Display | None = None, dashboard: Address | None = None
) -> dict[str, Any]:
    """The summary, whatever the verdict. `dashboard`: where the run's page shall be.

    Within `kept_for_all_runs` it shares Ray and forkservers with other runs. Raises `Interrupted`, and
    `LaunchError` and `ConfigError` as `m4sc run` does.
    """
    config = checked(config)
    display = display or LineDisplay(sys.stderr)
    with StopSignals() as signals:
        meeting = _meeting(config, signals)
        run_dir = create_run_folder(config, folder)
        Front(config, run_dir, signals, display, dashboard=dashboard, meeting=meeting).run()
        if signals.received:
            raise Interrupted(f"stopped by {signals.received[0].name}")
    return read_summary(run_dir)


def _meeting(config: RunConfig, signals: StopSignals) -> Meeting | None:
    """Of the standby, where the command has one and the run does not go to a cluster of its own."""
    kept = keeper()
    if kept is None or config.cluster.address is not None:
        return None
    needs = AgentSettings("", Path(), "", role_modules=role_modules(), warm_modules=warm_modules(config))
    return kept.standby(needs.forkservers()).meeting(signals, 2 * config.cluster.start_timeout_s)
