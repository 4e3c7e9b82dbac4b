"""One run of a card: a shipped configuration on a given bundle, through the processes, and its summary."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.commands.common import find_config
from launch.datasets.clevr_folder import holds_scenes
from launch.errors import LaunchError
from launch.one_run import run_to_end
from launch.runfolder import clear_run_folder, read_summary, summary_of
from launch.verdict.faults import BAD_INPUT, TOO_FEW
from launch.workload.clevr_style import data_folder
from shared.config import RunConfig
from shared.config_file import load_config

RunSummary = Callable[[RunConfig, Path], dict[str, Any]]
Accepts = Callable[[Mapping[str, Any]], bool]
"""Whether a summary's numbers may be used."""


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
    return run_accepted(config, run_dir, is_valid)


def run_measured(config: RunConfig, run_dir: Path) -> dict[str, Any]:
    """As `run_summary`, for measurements of an air on which not everything can be answered."""
    return run_accepted(config, run_dir, is_measured)


def run_accepted(config: RunConfig, run_dir: Path, accepts: Accepts) -> dict[str, Any]:
    """As `run_summary`, whatever the verdict, if only the summary is one that is accepted."""
    summary = run_to_end(config, run_dir)
    if not accepts(summary):
        why = "".join(f"; {line}" for line in summary["findings"][:1])
        raise RunFailed(f"the run's verdict is {summary['verdict']} (exit code {summary['exit_code']}){why}")
    return summary


def is_valid(summary: Mapping[str, Any]) -> bool:
    return summary.get("verdict") == "valid"


def is_accounted(summary: Mapping[str, Any]) -> bool:
    """Valid, or in doubt for nothing but that too few were answered."""
    if is_valid(summary):
        return True
    doubts = [str(line) for line in summary.get("findings", ())]
    only_that = bool(doubts) and all(line.startswith(f"{TOO_FEW}:") for line in doubts)
    return summary.get("verdict") == "unknown" and only_that


def is_measured(summary: Mapping[str, Any]) -> bool:
    """Valid, or in doubt only as too few were answered: what a scheme that fails on its air gives.

    A request that expired, or that was refused because its user was away, met a slow machine, and is no such
    thing.
    """
    if is_valid(summary):
        return True
    slow = [
        end
        for end in summary["failures"]
        if end["state"] != "failed" and not end["reason"].startswith(BAD_INPUT)
    ]
    return is_accounted(summary) and not slow


def kept_or_run(
    config: RunConfig, folder: Path, fingerprint: str, run: RunSummary, accepts: Accepts = is_valid
) -> dict[str, Any]:
    """The summary of the run in `folder` if it is this one, of these weights, accepted; else of a new one.

    Another run's folder, or one that was cut short, gives way. Raises as `run`, and `LaunchError` where
    `folder` is no run folder.
    """
    if not is_done(folder, config, fingerprint, accepts):
        clear_run_folder(folder)
        run(config, folder)
    return read_summary(folder)


def is_done(folder: Path, config: RunConfig, fingerprint: str, accepts: Accepts) -> bool:
    """Whether `folder` holds this run, of these weights, with an accepted summary."""
    summary = summary_of(folder, config)
    return summary is not None and accepts(summary) and summary.get("fingerprint") == fingerprint


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
