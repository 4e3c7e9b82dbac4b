"""One thread for a role's computations, so that its sockets are served meanwhile."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from shared.actions import Compute

MAX_WAITING = 4_096


class ComputeThread:
    """Jobs run one at a time, in order; `done(key, result)` is called in the event loop.

    The thread is a daemon: a computation cannot be interrupted, and must not keep a process alive that has
    been told to end. A job that raises gives the exception as its result.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, done: Callable[[str, Any], None]) -> None:
        self._loop = loop
        self._done = done
        self._jobs: queue.SimpleQueue[Compute | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread: threading.Thread | None = None

    def submit(self, compute: Compute) -> None:
        """Raises `OverflowError` when 4,096 jobs wait: the role does not bound its work."""
        if self._waiting >= MAX_WAITING:
            raise OverflowError(f"compute: expected at most {MAX_WAITING} waiting jobs")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="compute", daemon=True)
            self._thread.start()
        self._waiting += 1
        self._jobs.put(compute)

    def close(self, wait_s: float) -> None:
        """No more results; waits up to `wait_s` for the job under way."""
        self._done = lambda key, result: None
        if self._thread is not None:
            while True:
                try:
                    self._jobs.get_nowait()  # jobs that have not begun
                except queue.Empty:
                    break
            self._jobs.put(None)
            self._thread.join(wait_s)

    def _run(self) -> None:
        while (compute := self._jobs.get()) is not None:
            result: Any
            try:
                result = compute.job()
            except BaseException as error:  # noqa: BLE001 - a job's SystemExit, too, is its role's to judge
                result = error
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._finish, compute.key, result)

    def _finish(self, key: str, result: Any) -> None:
        self._waiting -= 1
        self._done(key, result)
