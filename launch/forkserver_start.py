"""Starting a forkserver, also before there is an agent for it: it imports while Ray starts."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from launch.temp_dirs import make_temp_dir

MALLOC: Final = {"MALLOC_MMAP_THRESHOLD_": str(4 * 2**20)}
"""For glibc: larger blocks stay out of the heap and go back when they are freed. Left to itself it takes ever
larger ones from the heap, which then frays, and grows, under groups of changing size."""
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The roles are the parallelism, and results do not depend on the machine's cores."""


def start_forkserver(
    channel: socket.socket, modules: Sequence[str], log_path: Path
) -> "subprocess.Popen[bytes]":
    """`channel`: connected to its agent, or a socket that listens for it.

    The kernel ends it with the thread that calls this.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "launch.forkserver", str(channel.fileno()), str(os.getpid()), *modules],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**MALLOC, **ONE_THREAD, **os.environ},
            pass_fds=(channel.fileno(),),
            start_new_session=True,  # a Ctrl-C or hang-up of the terminal is the command's business
        )


class EarlyForkservers:
    """Forkservers that listen for agents; they end with the thread that starts them, or by `close`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._folder: Path | None = None
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, modules: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """One for each label; the paths of their sockets. On a thread that lives as long as they shall."""
        self._folder = make_temp_dir("fork")
        return {label: self._start(self._folder / label, named) for label, named in modules.items()}

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """End and reap them. What still serves an agent ends with them."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, path: Path, modules: Sequence[str]) -> str:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()
            process = start_forkserver(listening, modules, forkserver_log(self._logs, path.name))
        self._processes.append(process)
        return str(path)


def forkserver_log(logs: Path, label: str) -> Path:
    """Where a forkserver says what went wrong."""
    return logs / f"forkserver-{label}.log"
