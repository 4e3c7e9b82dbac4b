"""The run folder: made before a run, complete after it, however the run ended."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import yaml

from launch.errors import RunFolderError
from shared.config import RunConfig
from shared.config_file import load_config

CONFIG_FILE = "config.yaml"
JOURNAL_FILE = "journal.jsonl"
SUMMARY_FILE = "summary.json"
REPORT_FILE = "report.html"
COMPLETE = (CONFIG_FILE, JOURNAL_FILE, "ledger.csv", "ledger.parquet", SUMMARY_FILE, REPORT_FILE, "logs")
"""What every run folder holds in the end."""


def create_run_folder(config: RunConfig, out: Path | None, base: Path = Path("runs")) -> Path:
    """`out`, or runs/<timestamp>-<name>, with the resolved configuration and empty journal and logs.

    Raises `RunFolderError` if `out` has something in it already or cannot be made.
    """
    folder = (
        out if out is not None else base / f"{time.strftime('%Y%m%d-%H%M%S')}-{_file_name(config.name)}"
    ).absolute()
    if out is None:
        folder = _unused(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RunFolderError(f"--out {folder}: expected a new or empty folder")
        (folder / "logs").mkdir()
        (folder / "counters").mkdir()
        (folder / JOURNAL_FILE).touch()
        (folder / CONFIG_FILE).write_text(config_text(config), encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"{folder}: the run folder cannot be made ({error.strerror})") from None
    return folder


def config_text(config: RunConfig) -> str:
    """The resolved configuration as YAML that `load_config` reads back to the same."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def read_config(run_dir: Path) -> RunConfig:
    """The resolved configuration of a run. Raises `ConfigError`."""
    return load_config(run_dir / CONFIG_FILE)


def missing_files(run_dir: Path) -> list[str]:
    """What a complete run folder would have and this one has not."""
    return [name for name in COMPLETE if not (run_dir / name).exists()]


def read_summary(run_dir: Path) -> dict[str, Any]:
    """summary.json. Raises `RunFolderError` when it is not there or not readable."""
    try:
        summary = json.loads((run_dir / SUMMARY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run_dir / SUMMARY_FILE}: cannot be read ({error})") from None
    if not isinstance(summary, dict):
        raise RunFolderError(f"{run_dir / SUMMARY_FILE}: expected an object")
    return summary


def summary_of(run_dir: Path, config: RunConfig) -> dict[str, Any] | None:
    """The summary of this very run, if it is there and was finished. Raises `RunFolderError`."""
    if not (run_dir / SUMMARY_FILE).exists() or not (run_dir / CONFIG_FILE).exists():
        return None
    if (run_dir / CONFIG_FILE).read_text(encoding="utf-8") != config_text(config):
        return None
    return read_summary(run_dir)


def clear_run_folder(run_dir: Path) -> None:
    """Another run's folder, or one that was cut short, gives way. Raises `RunFolderError` for any other."""
    if not run_dir.exists():
        return
    if not (run_dir / CONFIG_FILE).exists() and any(run_dir.iterdir()):
        raise RunFolderError(f"{run_dir}: not a run folder, remove it")
    shutil.rmtree(run_dir)


def discard_run_folder(run_dir: Path) -> None:
    """Remove a folder in which nothing ran: only what `create_run_folder` and the start put there."""
    for name in ("workload.jsonl", CONFIG_FILE, JOURNAL_FILE):
        (run_dir / name).unlink(missing_ok=True)
    for name in ("logs", "counters"):
        folder = run_dir / name
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
    if run_dir.is_dir() and not any(run_dir.iterdir()):
        run_dir.rmdir()


def _unused(folder: Path) -> Path:
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def _file_name(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:64].lstrip(".")
    return safe or f"run-{os.getpid()}"
