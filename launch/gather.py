"""Fetch what a run has left on other hosts into its one run folder: journal, counters, logs, resources.

All of a host or nothing: its files are fetched first, and then put beside the others. Times of its journal
become those of this host's monotonic clock, which all durations are measured with.
"""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.host_api import HostApi
from launch.resources.sampler import RESOURCES_FILE
from launch.runfolder import JOURNAL_FILE
from shared.journal import read_journal

_PROBES = 5


def fetch_host(agent: HostApi, host: str, run_dir: Path, limit_s: float) -> None:
    """Raises `LaunchError`; then nothing of that host is in the folder."""
    part = run_dir / f".{host}.part"
    deadline_s = time.monotonic() + limit_s
    try:
        part.mkdir()
        ahead_s = _ahead_s(agent)
        for name, size in agent.files():
            _fetch(agent, name, size, part / name, deadline_s)
        _merge(part, run_dir, host, ahead_s)
    except OSError as error:
        raise LaunchError(f"what {host} has left cannot be written here ({error.strerror})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    agent.leave()


def _ahead_s(agent: HostApi) -> float:
    """How far a host's monotonic clock is ahead of this one's, by its quickest answer; to half of that."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    best: tuple[float, float] | None = None
    for _ in range(_PROBES):
        asked_s = time.monotonic()
        clock = agent.clock()
        took_s = time.monotonic() - asked_s
        if clock.boot_id == boot_id:
            return 0.0
        if best is None or took_s < best[0]:
            best = took_s, clock.t_s - asked_s - took_s / 2
    assert best is not None
    return best[1]


def _fetch(agent: HostApi, name: str, size: int, path: Path, deadline_s: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while file.tell() < size:
            data = agent.read_file(name, file.tell())
            if not data or time.monotonic() > deadline_s:
                why = "it shrinks" if not data else "it takes too long"
                raise LaunchError(f"{name} cannot be fetched: {why}")
            file.write(data)


def _merge(part: Path, run_dir: Path, host: str, ahead_s: float) -> None:
    """Names that every host has (of its agent and forkservers) get the host's."""
    own = {"agent", "forkserver-warm", "forkserver-light"}
    for path in sorted(part.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(part))
        if name == JOURNAL_FILE:
            _append(run_dir / name, _journal_lines(path, ahead_s))
        elif name == RESOURCES_FILE:
            lines = path.read_bytes().splitlines(keepends=True)
            _append(run_dir / name, lines if not (run_dir / name).exists() else lines[1:])
        else:
            stem = f"{path.stem}.{host}" if path.stem.partition(".")[0] in own else path.stem
            path.replace(run_dir / Path(name).with_name(stem + path.suffix))


def _journal_lines(path: Path, ahead_s: float) -> list[bytes]:
    """Torn lines stay as they are, for the verdict to see."""
    contents = read_journal(path)
    lines = [_line({**event, "t": event["t"] - ahead_s}) for event in contents.events]
    return [*lines, *(torn.text.encode() + b"\n" for torn in contents.torn)]


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _append(path: Path, lines: list[bytes]) -> None:
    """A line a write: others may still append."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        for line in lines:
            os.write(fd, line)
    finally:
        os.close(fd)
