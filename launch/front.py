"""The command's side of a run: start the supervisor, show what it tells, handle signals, clean up."""

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from launch.dashboard.address import Address
from launch.errors import LaunchError
from launch.guardian import RUN_ID_VARIABLE, kill_run
from launch.imports import import_for_completion
from launch.orders import LineSocket, Orders
from launch.runfolder import discard_run_folder, missing_files
from launch.signals import StopSignals, let_go_of_terminal
from launch.standby import Meeting
from launch.temp_dirs import sweep_temp_dirs
from shared.config import RunConfig

_STOP_S = 4.0
"""After the first signal: how long the supervisor may take before the command ends everything itself."""
_EXIT_S = 5.0
_TICK_S = 0.5


class Display(Protocol):
    """What a run shows while it goes on."""

    def show(self, message: dict[str, Any]) -> None:
        """One message of the supervisor."""

    def tick(self) -> None:
        """Twice a second."""

    def close(self) -> None:
        """Nothing more comes."""


class Front:
    """One run, or with `state_dir` the start of a testbed that stays up. Main thread only.

    `meeting`: the standby of a command that makes many runs.
    """

    def __init__(
        self,
        config: RunConfig,
        run_dir: Path,
        signals: StopSignals,
        display: Display,
        state_dir: Path | None = None,
        dashboard: Address | None = None,
        meeting: Meeting | None = None,
    ) -> None:
        self._config = config
        self._run_dir = run_dir
        self._signals = signals
        self._display = display
        self._state_dir = state_dir
        self._dashboard = dashboard
        self._meeting = meeting
        self._run_id = new_run_id(run_dir)
        self._give_up_s: float | None = None
        self._answered = 0
        self._heard = False
        self._roles: list[dict[str, Any]] = []
        self._started_wall_s = time.time()

    def run(self) -> int:
        """To the end of the run (with `state_dir`: until it is up). Returns the exit code of the verdict.

        Raises `LaunchError` when the run cannot be started; nothing is left running then.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            supervisor = self._start(theirs)
        channel = LineSocket(ours)
        try:
            ending = self._listen(channel)
            if ending.get("kind") == "ready":
                channel.put({"verb": "detach"})
                return 0
            return self._end(supervisor, ending)
        finally:
            self._display.close()
            channel.close()

    def _start(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        orders = Orders(
            fd=theirs.fileno(),
            run_dir=str(self._run_dir),
            run_id=self._run_id,
            front_pid=os.getpid(),
            started_wall_s=self._started_wall_s,
            stay=self._state_dir is not None,
            state_dir=str(self._state_dir or ""),
            dashboard=None if self._dashboard is None else asdict(self._dashboard),
            ray=None if self._meeting is None else self._meeting.address,
            early={} if self._meeting is None else self._meeting.early,
        )
        fields = {name: getattr(orders, name) for name in Orders.__slots__}
        joining = {} if self._meeting is None else self._meeting.environment
        with (self._run_dir / "logs" / "supervisor.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "launch.supervisor", json.dumps(fields)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **joining, RUN_ID_VARIABLE: self._run_id},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def _listen(self, channel: LineSocket) -> dict[str, Any]:
        """Until the supervisor says how it ended ({} when it could not), or is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._signals, selectors.EVENT_READ, "signal")
            selector.register(channel, selectors.EVENT_READ, "supervisor")
            while True:
                ready = [key.data for key, _ in selector.select(self._wait_s())]
                if "signal" in ready:
                    self._signals.clear()
                if len(self._signals.received) > self._answered and not self._on_signal(channel):
                    return {}
                if self._give_up_s is not None and time.monotonic() >= self._give_up_s:
                    return {}
                if "supervisor" in ready:
                    messages = channel.take()
                    if messages is None:
                        return {}
                    self._heard = True
                    for message in messages:
                        if message["kind"] in ("finished", "error", "cut_short"):
                            return message
                        if message["kind"] == "ready" and self._state_dir is not None:
                            return message
                        self._roles = message.get("roles", self._roles)
                        self._display.show(message)
                self._display.tick()

    def _wait_s(self) -> float:
        if self._give_up_s is None:
            return _TICK_S
        return max(0.0, min(_TICK_S, self._give_up_s - time.monotonic()))

    def _on_signal(self, channel: LineSocket) -> bool:
        """The first signal stops the run in order; False on the second: end it now."""
        first = self._answered == 0
        self._answered = len(self._signals.received)
        name = self._signals.received[0].name
        if self._signals.received[-1] == signal.SIGHUP:
            let_go_of_terminal()
        if not first or not self._heard:  # a supervisor that has said nothing yet has started nothing
            return False
        self._give_up_s = time.monotonic() + _STOP_S
        # What the command may have to complete the folder with, if the supervisor has not got so far.
        import_for_completion()
        self._display.show({"kind": "note", "text": f"{name}: stopping (again to stop at once)"})
        channel.put({"verb": "stop", "why": name})
        return True

    def _end(self, supervisor: "subprocess.Popen[bytes]", ending: dict[str, Any]) -> int:
        if ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                supervisor.wait(
                    _EXIT_S if self._give_up_s is None else max(0.1, self._give_up_s - time.monotonic())
                )
        left = kill_run(self._run_id)
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.wait(0.5)
        sweep_temp_dirs()  # a supervisor that had to be killed could not
        if left:
            raise LaunchError(f"these processes could not be killed: {', '.join(map(str, left))}")
        if ending.get("kind") == "error":
            if not ending["keep"]:
                discard_run_folder(self._run_dir)
            elif missing_files(self._run_dir):
                self._complete(ending["launch"])
            if ending["code"] == 2:
                raise LaunchError(str(ending["text"]))
            self._display.show({"kind": "note", "text": str(ending["text"])})
        code = int(ending.get("code", 3))
        if missing_files(self._run_dir):
            code = self._complete(ending.get("launch"))
        if not ending and not self._signals.received:
            log = self._run_dir / "logs" / "supervisor.log"
            self._display.show({"kind": "note", "text": f"the supervisor died (see {log})"})
        return code

    def _complete(self, launch: dict[str, Any] | None) -> int:
        """The supervisor could not: results from what the roles left behind."""
        from launch.completion import complete_run_folder

        cut_short = self._signals.received[0].name if self._signals.received else "the supervisor died"
        summary = complete_run_folder(
            self._run_dir,
            self._config,
            run_id=self._run_id,
            roles=self._roles,
            started_wall_s=self._started_wall_s,
            launch=launch or {"cut_short": cut_short},
        )
        return int(summary["exit_code"])


def new_run_id(run_dir: Path) -> str:
    """The folder's name and a random part: two runs never share one."""
    return f"{run_dir.name}-{secrets.token_hex(3)}"
