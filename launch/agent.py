"""The agent of one host as a plain class: a thread with an event loop, and blocking calls into it.

Under Ray it is the actor of that host (`launch.cluster`); without Ray it works the same, in a thread.
"""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from launch.agent_api import AgentSettings, StopBudget, StopReport
from launch.agent_core import AgentCore
from launch.errors import LaunchError
from launch.event_box import AgentEvent, EventBox
from launch.guardian import RUN_ID_VARIABLE, kill_run, wait_gone
from launch.host_api import Clock, HostApi
from launch.host_files import BundleShelf, left_behind, make_host_folder, read_piece, write_piece
from shared.keys import Guest
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Done, Ready

__all__ = ["Agent", "AgentSettings"]

_OPEN_S = 30.0
_SLACK_S = 5.0
T = TypeVar("T")


class Agent(HostApi):
    """Opens its control endpoint and its forkservers at once: they import while others start."""

    def __init__(self, settings: AgentSettings) -> None:
        if settings.lease_s is not None:
            settings = replace(settings, run_dir=make_host_folder())
        self._settings = settings
        self._shelf = BundleShelf()
        self._asked_s = time.monotonic()
        self._closed = threading.Event()
        # For an agent in somebody's Ray: what it starts must carry the run's id.
        os.environ[RUN_ID_VARIABLE] = settings.run_id
        self._events = EventBox()
        self._core = AgentCore(settings, self._events)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="m4sc-agent", daemon=True)
        self._thread.start()
        if settings.owner_pid is not None:
            threading.Thread(target=self._end_with, args=(settings.owner_pid,), daemon=True).start()
        if settings.lease_s is not None:
            lease = (settings.lease_s,)
            threading.Thread(target=self._end_unasked, args=lease, name="m4sc-lease", daemon=True).start()
        self._wait(self._core.open(), _OPEN_S)

    def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        return self._wait(self._core.launch(specs, timeout_s), timeout_s + _SLACK_S)

    def begin(self) -> None:
        self._wait(self._core.begin(), _SLACK_S)

    def ask(self, question: Ask, timeout_s: float) -> AskResult:
        return self._wait(self._core.orders.ask(question, timeout_s), timeout_s + _SLACK_S)

    def events(self, timeout_s: float) -> list[AgentEvent]:
        self._asked_s = time.monotonic()
        return self._events.take(timeout_s)

    def start(self, spec: RoleSpec) -> None:
        self._wait(self._core.start(spec), _SLACK_S)

    def start_next(self, name: str, beside: bool = False) -> None:
        self._wait(self._core.start_next(name, beside), _SLACK_S)

    def end(self, name: str) -> None:
        self._wait(self._core.hands.end(name), _SLACK_S)

    def signal(self, name: str, number: int, incarnation: int | None = None) -> None:
        self._wait(self._core.hands.signal(name, number, incarnation), _SLACK_S)

    def slow(self, name: str, cpu_share: float, for_s: float) -> None:
        self._wait(self._core.hands.slow(name, cpu_share, for_s), _SLACK_S)

    def fill_disk(self, name: str) -> None:
        self._wait(self._core.hands.fill_disk(name), _SLACK_S)

    def go_on(self, name: str) -> None:
        self._wait(self._core.hands.go_on(name), _SLACK_S)

    def inject(self, fault: str) -> dict[str, Any]:
        return self._wait(self._core.orders.inject(fault, _SLACK_S), 2 * _SLACK_S)

    def roles(self) -> list[dict[str, Any]]:
        return self._wait(self._core.roles(), _SLACK_S)

    def stop(self, budget: StopBudget) -> StopReport:
        return self._wait(self._core.stop(budget), budget.total_s + _SLACK_S)

    def join(self, data_network: str | None, node_address: str, bundle: str | None) -> str:
        return self._wait(self._core.join(data_network, node_address, bundle), _SLACK_S)

    def introduce(self, names: list[str]) -> dict[str, Guest]:
        return self._wait(self._core.introduce(names), _SLACK_S)

    def learn(self, guests: dict[str, Guest]) -> None:
        self._wait(self._core.learn(guests), _SLACK_S)

    def find_bundle(self, bundle: str, fingerprint: str) -> str | None:
        return self._shelf.find(bundle, fingerprint)

    def put_bundle(self, fingerprint: str, name: str, offset: int, data: bytes) -> None:
        self._shelf.put(fingerprint, name, offset, data)

    def keep_bundle(self, fingerprint: str) -> str:
        return self._shelf.keep(fingerprint)

    def put_file(self, name: str, offset: int, data: bytes) -> None:
        write_piece(self._settings.run_dir, name, offset, data)

    def up(self, role: str = "") -> list[str]:
        return self._wait(self._core.orders.up(role), _SLACK_S)

    def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        return self._wait(self._core.orders.command(names, verb, timeout_s), timeout_s + _SLACK_S)

    def finish(self, budget: StopBudget) -> StopReport:
        return self._wait(self._core.finish(budget), budget.exit_s + 2 * _SLACK_S)

    def clock(self) -> Clock:
        return Clock(Path("/proc/sys/kernel/random/boot_id").read_text().strip(), time.monotonic())

    def files(self) -> list[tuple[str, int]]:
        return left_behind(self._settings.run_dir)

    def read_file(self, name: str, offset: int) -> bytes:
        return read_piece(self._settings.run_dir, name, offset)

    def leave(self) -> None:
        if self._settings.lease_s is not None:  # else it is the command's own run folder
            shutil.rmtree(self._settings.run_dir, ignore_errors=True)

    def close(self) -> None:
        """End the threads; for an agent that is not an actor. Whatever still runs is killed."""
        self._closed.set()
        self._wait(self._core.close(), _OPEN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SLACK_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except FutureTimeoutError:
            future.cancel()
            raise LaunchError(f"the agent did not finish within {timeout_s:g} s") from None

    def _end_with(self, owner_pid: int) -> None:
        """When the process this run belongs to is gone, so are the roles and this process, at once."""
        while not wait_gone(owner_pid, 3_600.0):
            pass
        kill_run(self._settings.run_id, timeout_s=1.0)
        os._exit(1)

    def _end_unasked(self, lease_s: float) -> None:
        """An agent that nobody asks for news any more serves a run that has ended, or lost this host."""
        while (left_s := self._asked_s + lease_s - time.monotonic()) > 0.0:
            if self._closed.wait(left_s):
                return
        kill_run(self._settings.run_id, timeout_s=1.0)
        self.leave()
        os._exit(1)
