"""Starting a forkserver, also before there is an agent for it: it imports while Ray starts."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launch.temp_dirs import make_temp_dir

MALLOC: Final = {"MALLOC_MMAP_THRESHOLD_": str(4 * 2**20)}
"""For glibc: larger blocks stay out of the heap and go back when they are freed. Left to itself it takes ever
larger ones from the heap, which then frays, and grows, under groups of changing size."""
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The roles are the parallelism, and results do not depend on the machine's cores."""
_END_S = 2.0


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


def forkserver_log(run_dir: Path, label: str) -> Path:
    """Where a forkserver says what went wrong."""
    return run_dir / "logs" / f"forkserver-{label}.log"


@dataclass(frozen=True, slots=True)
class EarlyForkserver:
    """One that waits for its agent: the path of its socket, its pid."""

    path: str
    pid: int


class EarlyForkservers:
    """Those of a run, until agents find them. They end with their agents, or when the run's id is ended."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._folder: Path | None = None
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, modules: Mapping[str, Sequence[str]]) -> dict[str, EarlyForkserver]:
        """One for each label. To be called on a thread that lives as long as they shall."""
        self._folder = make_temp_dir("fork")
        return {label: self._start(label, self._folder, named) for label, named in modules.items()}

    def _start(self, label: str, folder: Path, modules: Sequence[str]) -> EarlyForkserver:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(folder / label))
            listening.listen(1)
            process = start_forkserver(listening, modules, forkserver_log(self._run_dir, label))
        self._processes.append(process)
        return EarlyForkserver(str(folder / label), process.pid)

    def close(self) -> None:
        """Reap what has ended, end what has not; nothing of them is left."""
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
            process.kill()  # nothing, where it has ended
            process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
