"""One run of a card: a shipped configuration on a given bundle, through the processes, and its summary."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.cluster_check import checked
from launch.commands.common import find_config
from launch.datasets.clevr_folder import holds_scenes
from launch.displays import LineDisplay
from launch.errors import Interrupted, LaunchError
from launch.front import Front
from launch.runfolder import CONFIG_FILE, SUMMARY_FILE, config_text, create_run_folder, read_summary
from launch.signals import StopSignals
from launch.workload.clevr_style import data_folder
from shared.config import RunConfig
from shared.config_file import load_config

RunSummary = Callable[[RunConfig, Path], dict[str, Any]]


class NoData(Exception):
    """The run's data set is not on this machine; the message says which option would name it."""


class RunFailed(LaunchError):
    """A run that gives no number."""


@dataclass(frozen=True, slots=True)
class DataSets:
    """Where data lies. `data`: a data set, or a folder with data sets; `imdb`: reviews."""

    data: Path | None = None
    imdb: Path | None = None


def run_config(bundle: Path, config: str, overrides: Sequence[str], sets: DataSets) -> RunConfig:
    """The configuration of a run on `bundle`, its data found. Raises `ConfigError` or `NoData`."""
    loaded = load_config(find_config(config), tuple(overrides))
    loaded = loaded.model_copy(update={"bundle": str(bundle.absolute())})
    root = _root(loaded, sets)
    if root is not None:
        workload = loaded.workload.model_copy(update={"root": str(root)})
        loaded = loaded.model_copy(update={"workload": workload})
    return loaded


def run_summary(config: RunConfig, run_dir: Path) -> dict[str, Any]:
    """Run to the end and return the summary; lines about it go to standard error.

    Raises `RunFailed` when the verdict is not valid, `Interrupted`, and `LaunchError` and `ConfigError` as
    `m4sc run` does.
    """
    config = checked(config)
    with StopSignals() as signals:
        folder = create_run_folder(config, run_dir)
        code = Front(config, folder, signals, LineDisplay(sys.stderr)).run()
        if signals.received:
            raise Interrupted(f"stopped by {signals.received[0].name}")
    summary = read_summary(folder)
    if code != 0:
        raise RunFailed(f"the run's verdict is {summary['verdict']} (exit code {code})")
    return summary


def kept_or_run(config: RunConfig, folder: Path, fingerprint: str, run: RunSummary) -> dict[str, Any]:
    """The summary of the run in `folder` if it is this one, of these weights, and valid; else of a new one.

    Another run's folder, or one that was cut short, gives way. Raises as `run`, and `LaunchError` where
    `folder` is no run folder.
    """
    if not _is_done(folder, config, fingerprint):
        _discard(folder)
        run(config, folder)
    return read_summary(folder)


def _is_done(folder: Path, config: RunConfig, fingerprint: str) -> bool:
    if not (folder / SUMMARY_FILE).exists() or not (folder / CONFIG_FILE).exists():
        return False
    if (folder / CONFIG_FILE).read_text(encoding="utf-8") != config_text(config):
        return False
    summary = read_summary(folder)
    return summary.get("verdict") == "valid" and summary.get("fingerprint") == fingerprint


def _discard(folder: Path) -> None:
    if not folder.exists():
        return
    if not (folder / CONFIG_FILE).exists() and any(folder.iterdir()):
        raise LaunchError(f"{folder}: not a run folder, remove it")
    shutil.rmtree(folder)


def _root(config: RunConfig, sets: DataSets) -> Path | None:
    """`workload.root`, None: as configured. Raises `NoData`."""
    configured = None if config.workload.root is None else Path(config.workload.root)
    source = config.workload.source
    if source == "imdb_file":
        return _first_of([sets.imdb, configured], "--imdb")
    if source == "requests_file":
        return _first_of([configured], "its requests file")
    inside = None if sets.data is None or configured is None else sets.data / configured.name
    if source == "clevr_folder":
        candidates = [path for path in (sets.data, inside, configured) if path is not None]
        return _first_of([path for path in candidates if holds_scenes(path)], "--data")
    own = data_folder(config.workload)
    given = None if sets.data is None else sets.data / own.name
    if given is not None and given.is_dir():
        return given
    if not own.is_dir() and importlib.util.find_spec("mitsuba") is None:
        raise NoData(f"--data with {own.name} in it, or the renderer")
    return None


def _first_of(candidates: Sequence[Path | None], option: str) -> Path:
    for path in candidates:
        if path is not None and path.exists():
            return path
    raise NoData(option)
