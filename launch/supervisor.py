"""The process that keeps a run: Ray's driver, the testbed, and the run folder's completion.

    python -m launch.supervisor '{"fd": 5, "run_dir": ..., "run_id": ..., "stay": false, ...}'

It has a session of its own, so a terminal's Ctrl-C or hang-up reaches only the command, which tells it over
the socket `fd` what to do (`launch.orders`). When that socket closes because the command was killed,
everything of the run is killed at once and the folder completed. `m4sc up` detaches it first.

Ray is used on one thread, which lives until the end (the kernel ends Ray's helpers with the thread that
started them); the main thread only waits, so that it can end the run whatever that thread is stuck in.
"""

import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from launch.guardian import adopt_orphans, children, kill_run
from launch.orders import LineSocket, Orders
from launch.runfolder import read_config
from launch.session import Session
from launch.signals import StopSignals

_ORDERLY_S = 2.2
"""After a signal: how long the roles may take to stop in good order before everything is killed."""
_COMPLETION_S = 10.0
_LOOK_S = 1.0


class Supervisor:
    """Main thread: signals, the command's socket, and the clock. `Session` does the work on its thread."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._front: LineSocket | None = LineSocket(socket.socket(fileno=orders.fd))
        self._session = Session(orders, read_config(Path(orders.run_dir)), self._tell)
        self._wake, self._waker = socket.socketpair()
        self._worker = threading.Thread(target=self._work, name="m4sc-session", daemon=True)
        self._front_gone = False
        self._give_up_s: float | None = None
        self._lock = threading.Lock()

    def run(self) -> int:
        """Until the run has ended. The exit code is the verdict's."""
        adopt_orphans()
        with StopSignals() as signals, selectors.DefaultSelector() as selector:
            self._session.on_ray_started = lambda: self._waker.send(b"signals")
            self._session.on_failed = lambda: self._waker.send(b"done")
            self._worker.start()
            selector.register(signals, selectors.EVENT_READ, "signal")
            selector.register(self._wake, selectors.EVENT_READ, "session")
            if self._front is not None:
                selector.register(self._front, selectors.EVENT_READ, "front")
            while True:
                left_s = _LOOK_S if self._give_up_s is None else self._give_up_s - time.monotonic()
                ready = [key.data for key, _ in selector.select(max(0.0, left_s))]
                if "signal" in ready:
                    signals.clear()
                    self._stop(signals.received[-1].name, hurried=True)
                if "session" in ready and b"done" in self._wake.recv(4_096):
                    break
                signals.install()  # Ray may have put a handler of its own
                if "front" in ready and not self._listen(selector):
                    self._front_gone = True
                    return self._cut_short("the command was killed")
                if self._give_up_s is not None and time.monotonic() >= self._give_up_s:
                    return self._cut_short("the roles did not stop in time")
                if self._session.ray_overdue():
                    break
        return self._end()

    def _work(self) -> None:
        try:
            self._session.run()
        finally:
            self._waker.send(b"done")

    def _listen(self, selector: selectors.BaseSelector) -> bool:
        """Take the command's orders; False when it is gone though it had not detached."""
        assert self._front is not None
        messages = self._front.take()
        for message in messages or ():
            if message["verb"] == "stop":
                self._stop(message["why"], hurried=True)
            elif message["verb"] == "detach":
                selector.unregister(self._front)
                with self._lock:
                    self._front = None
                return True
        return messages is not None

    def _stop(self, why: str, hurried: bool) -> None:
        """First time: in order, within a bound. Again: at once."""
        again = self._give_up_s is not None
        self._session.request_stop(why, hurried)
        limit_s = 0.0 if again or not self._session.has_roles else _ORDERLY_S
        self._give_up_s = time.monotonic() + limit_s

    def _cut_short(self, why: str) -> int:
        """Kill the roles and the agent, complete the folder from what they left behind, then end Ray.

        Ray's own helpers (the children of this process) go last: a driver aborts soon after it loses them.
        """
        self._session.abandoned.set()
        why = self._session.stopped_by or why
        if not self._session.has_roles and self._front is not None and not self._front_gone:
            # Nothing was measured yet and nothing for it imported: the command, which has, is faster.
            kill_run(self._orders.run_id, spare={self._orders.front_pid})
            self._tell({"kind": "cut_short", "launch": self._session.facts(why)})
            return self._end()
        kill_run(self._orders.run_id, spare={self._orders.front_pid, *children()})
        if not self._session.complete(why):
            self._worker.join(_COMPLETION_S)  # it is at it already
        return self._end()

    def _end(self) -> int:
        """Nothing of the run may be left but the command."""
        kill_run(self._orders.run_id, spare={self._orders.front_pid})
        self._session.cleanup()
        return self._session.exit_code

    def _tell(self, message: dict[str, Any]) -> None:
        """From any thread; a command that is gone misses it."""
        with self._lock:
            if self._front is not None:
                self._front.put(message)


def main(arguments: list[str]) -> int:
    orders = Orders(**json.loads(arguments[0]))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return Supervisor(orders).run()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # not through Ray's exit handlers: what there was of it has ended
