"""No process outlives its run: who belongs to a run, and how all of it is ended.

Every process of a run has `M4SC_RUN_ID` in its initial environment, which the kernel keeps readable in
/proc/<pid>/environ and forks share; or, forked from a process that is older than the run, the run's mark as
its name (/proc/<pid>/comm), which forks share too. So what a run started is found by looking, also when the
processes in between have died. Ends nothing else: a process is signalled through a pidfd whose owner was
checked.
"""

import contextlib
import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from launch.descriptors import readable

RUN_ID_VARIABLE = "M4SC_RUN_ID"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_ZOMBIE_STATES = ("Z", "X")


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends (more exactly: the thread that forked it).

    `parent_pid` closes the race with a parent that is gone already. Linux only.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents died, so that they can be found and reaped."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def mark_as_of(run_id: str) -> None:
    """This process, and what it forks from now on, belong to a run. Main thread only."""
    _prctl(_PR_SET_NAME, _mark_of(run_id).encode())


def _mark_of(run_id: str) -> str:
    """Of the 15 characters that the kernel keeps of a name."""
    return f"m4sc-{hashlib.blake2b(run_id.encode(), digest_size=5).hexdigest()}"


def _prctl(option: int, value: int | bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def run_processes(run_id: str) -> list[int]:
    """Pids of living processes of this user that were started with the run's id, this one left out."""
    return [pid for pid in _all_pids() if pid != os.getpid() and _belongs(pid, run_id)]


def kill_run(run_id: str, spare: Collection[int] = (), timeout_s: float = 2.0) -> list[int]:
    """SIGKILL every process of a run but this one and `spare`; waits for their end. Returns who is left.

    Looks again until nothing is found, because what is being killed may just have forked.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        watched = [
            fd for pid in run_processes(run_id) if pid not in spare and (fd := _kill(pid, run_id)) >= 0
        ]
        try:
            for fd in watched:
                readable([fd], max(0.0, deadline_s - time.monotonic()))
        finally:
            for fd in watched:
                os.close(fd)
        if not watched or time.monotonic() >= deadline_s:
            return [pid for pid in run_processes(run_id) if pid not in spare]


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Whether a process (of anybody's) has ended within `timeout_s` seconds."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(readable([fd], max(0.0, timeout_s)))
    finally:
        os.close(fd)


def children() -> set[int]:
    """Pids of this process's own children."""
    return {pid for pid in _all_pids() if (fields := _stat(pid)) and fields[1] == str(os.getpid())}


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: with the pid it names a process for ever."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _kill(pid: int, run_id: str) -> int:
    """A pidfd of the process, which was sent SIGKILL; -1 when there was nothing to kill."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return -1
    if _belongs(pid, run_id):  # asked again with the pidfd open: the pid cannot have been reused since
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        return fd
    os.close(fd)
    return -1


def _belongs(pid: int, run_id: str) -> bool:
    wanted = f"{RUN_ID_VARIABLE}={run_id}".encode()
    here = Path(f"/proc/{pid}")
    try:
        started_for_it = wanted in (here / "environ").read_bytes().split(b"\0")
        if not started_for_it and (here / "comm").read_text().strip() != _mark_of(run_id):
            return False
    except OSError:  # gone, or another user's
        return False
    fields = _stat(pid)
    return bool(fields) and fields[0] not in _ZOMBIE_STATES


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from `state` on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _all_pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())
