"""What the runs of one command have in common: a private Ray, and forkservers that have imported.

A run on its own starts both and pays for it in seconds; a command that makes many starts them once. Every run
still has its own supervisor, agent and role processes, and joins this Ray as it would join a cluster.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Final

from launch.descriptors import readable
from launch.errors import Interrupted, LaunchError
from launch.guardian import RUN_ID_VARIABLE, kill_run
from launch.orders import LineSocket
from launch.signals import StopSignals
from launch.temp_dirs import sweep_temp_dirs

TOKEN_VARIABLE: Final = "RAY_AUTH_TOKEN"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a run finds it. `early`: forkservers, label and socket."""

    address: str
    token: str
    early: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """With which a process may join this Ray: arguments could be read by others."""
        return {"RAY_AUTH_MODE": "token", TOKEN_VARIABLE: self.token}


class Standby:
    """The process that keeps them (`launch.standby_process`). Main thread only."""

    def __init__(self, modules: Mapping[str, Sequence[str]]) -> None:
        """`modules`: what forkservers import, by label."""
        self._id = f"standby-{secrets.token_hex(6)}"
        self._meeting: Meeting | None = None
        ours, theirs = socket.socketpair()
        self._channel = LineSocket(ours)
        self._output = TemporaryFile()  # noqa: SIM115  as long as the process
        with theirs:
            arguments = [str(theirs.fileno()), json.dumps(dict(modules))]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "launch.standby_process", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                env={**os.environ, RUN_ID_VARIABLE: self._id},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a Ctrl-C or hang-up of the terminal is the command's business
            )

    @property
    def ending(self) -> bool:
        """Whether it has closed its end of the socket, on which nothing follows its meeting.

        Its process may last a little longer. Or it never came so far.
        """
        told = self._meeting is not None
        return self._process.poll() is not None or (told and bool(readable([self._channel.fileno()], 0.0)))

    def meeting(self, signals: StopSignals, timeout_s: float) -> Meeting:
        """Waits until it is there. Raises `Interrupted` at a signal, `LaunchError`."""
        if self._meeting is None:
            ready = readable([self._channel.fileno(), signals.fileno()], timeout_s)
            if signals.received:
                raise Interrupted(f"stopped by {signals.received[0].name}")
            if not ready:
                raise LaunchError(f"Ray did not start within {timeout_s:g} s (2 x cluster.start_timeout_s)")
            while not (told := self._channel.take()):
                if told is None:
                    raise LaunchError(f"the process that starts Ray has ended: {self._last_words()}")
            if "error" in told[0]:
                raise LaunchError(f"Ray and forkservers cannot be started: {told[0]['error']}")
            self._meeting = Meeting(**told[0])
        return self._meeting

    def _last_words(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")

    def close(self) -> None:
        """At once: there is nothing in it that is worth keeping."""
        left = kill_run(self._id)
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._output.close()
        sweep_temp_dirs()
        if left:
            raise LaunchError(f"these processes could not be killed: {', '.join(map(str, left))}")


class Keeper:
    """A standby from the first run that wants one to the end of the command; one that ended is replaced."""

    def __init__(self) -> None:
        self._standby: Standby | None = None

    def standby(self, modules: Mapping[str, Sequence[str]]) -> Standby:
        """`modules`: what this run's forkservers import; others import more when they are asked."""
        if self._standby is not None and self._standby.ending:
            self.close()
        if self._standby is None:
            self._standby = Standby(modules)
        return self._standby

    def close(self) -> None:
        if self._standby is not None:
            self._standby.close()
            self._standby = None


_keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def shared_by_runs() -> Iterator[None]:
    """Runs that are made within share a standby."""
    keeper = Keeper()
    with _kept(keeper):
        try:
            yield
        finally:
            keeper.close()


@contextmanager
def each_on_its_own() -> Iterator[None]:
    """Runs that are made within share nothing, as if nothing were around this: where a start is measured."""
    with _kept(None):
        yield


def keeper() -> Keeper | None:
    """Of whoever makes runs now, if they share."""
    return _keeper.get()


@contextmanager
def _kept(keeper: Keeper | None) -> Iterator[None]:
    before = _keeper.set(keeper)
    try:
        yield
    finally:
        _keeper.reset(before)
