"""Memory, descriptors, threads and CPU time of the processes of one host, into `resources.csv`.

PSS is the proportional set size: pages that several processes share, as forked roles do, count in shares.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple, TextIO

import psutil

RESOURCES_FILE: Final = "resources.csv"
COLUMNS: Final = ("t_s", "role", "user", "incarnation", "pid", "pss_bytes", "fds", "threads", "cpu_s")
ROWS_AT_FULL_RATE: Final = 100_000
"""After as many rows, and again after each as many more, samples are taken half as often."""
MOST_OF_THE_TIME: Final = 0.05
"""Share of one core that sampling may take; beyond, samples are taken more rarely."""


class Watched(NamedTuple):
    """A process to look at."""

    role: str
    user: int
    incarnation: int
    pid: int


class ResourceLog:
    """Writes rows, each sample whole. Raises `OSError` where the file cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._known: dict[Watched, psutil.Process] = {}
        self._write([",".join(COLUMNS)])

    def sample(self, now_s: float, processes: Iterable[Watched]) -> None:
        """One row for each that lives. `now_s`: of the monotonic clock, as in the journal."""
        lines = []
        for watched in processes:
            used = self._used(watched)
            if used is not None:
                lines.append(",".join(map(str, (f"{now_s:.3f}", *watched, *used))))
        self.rows += len(lines)
        self._write(lines)

    def close(self) -> None:
        self._file.close()

    def _used(self, watched: Watched) -> tuple[int, int, int, float] | None:
        """PSS in bytes, descriptors, threads, CPU seconds; None where the process is gone, or another's."""
        try:
            process = self._known.get(watched)
            if process is None:
                process = self._known[watched] = psutil.Process(watched.pid)
            elif not process.is_running():  # also where the pid is another's now
                return None
            times = process.cpu_times()
            pss = process.memory_full_info().pss
            if pss == 0:  # it is ending, and has given its memory back
                return None
            return pss, process.num_fds(), process.num_threads(), round(times.user + times.system, 2)
        except psutil.Error:
            return None

    def _write(self, lines: list[str]) -> None:
        if not self._file.closed:  # by the loop, while a thread was still looking
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()


async def keep_sampling(
    log: ResourceLog, every_s: float, processes: Callable[[], list[Watched]], nudges: "asyncio.Queue[bool]"
) -> None:
    """Until cancelled. A nudge asks for a sample at once: the last one, if it is True.

    Looks from a thread of its own, as the kernel takes its time over a large process.
    """
    loop = asyncio.get_running_loop()
    last = False
    try:
        while True:
            began_s = loop.time()
            await asyncio.to_thread(log.sample, time.monotonic(), processes())
            if last:
                return
            took_s = loop.time() - began_s
            with contextlib.suppress(TimeoutError):
                last = await asyncio.wait_for(nudges.get(), pause_s(every_s, log.rows, took_s))
    finally:
        log.close()


def pause_s(every_s: float, rows: int, took_s: float) -> float:
    """Seconds from the end of a sample that took `took_s` to the next."""
    period_s = every_s * 2.0 ** (rows // ROWS_AT_FULL_RATE)
    return max(period_s, took_s / MOST_OF_THE_TIME) - took_s
