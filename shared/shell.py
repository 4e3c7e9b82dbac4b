"""The event loop of a role process: events from links, timers and computations in, the role's actions out.

The role answers `start`, `drain` and everything else on its control link; the shell itself answers `sample`,
`quiesce` and `stop`, alike for every role. Each turn takes a bounded number of messages of each kind. On a
full disk the role goes on, but nobody hears of what follows a line that is not written (`behind_journal`).
"""

import asyncio
import contextlib
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from shared.actions import Action, Compute, Copied, Disconnect, Drop, Exit, Record, Send, Tell
from shared.behind_journal import BehindJournal
from shared.compute_thread import ComputeThread
from shared.journal import Journal, JournalError
from shared.kernel_report import KernelReport
from shared.ledger import Counters, flatten
from shared.link import ControlPeer
from shared.link_types import Link
from shared.routing import peer_name
from shared.spec import RoleSpec
from shared.wire.messages import Bye, Command, Done, Message, RoleFailed

EXIT_CRASHED = 1
EXIT_ORPHANED = 6  # the agent is gone
_MESSAGES_A_TURN = 64
_AGENT_GRACE_S = 0.5  # a lost control connection may come back within
_PARENT_LOOK_S = 0.5
_SETTLE_S = 1.0
_SETTLE_STEP_S = 0.005  # the kernel announces nothing when a byte has left
_COMPUTE_WAIT_S = 0.2
_DISK_LOOK_S = 0.05  # nothing announces that a disk has room again
_LINGER_MS = 500


class Role(Protocol):
    """What a role object offers; see `shared/actions.py`. Times: seconds of this host's monotonic clock."""

    def on_message(self, message: Message, now_s: float, source: str) -> list[Action]: ...
    def on_control(self, message: Message, now_s: float) -> list[Action]: ...
    def on_tick(self, now_s: float) -> list[Action]: ...
    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]: ...
    def next_wakeup_s(self, now_s: float) -> float | None: ...
    def quiesce(self) -> list[Action] | None: ...


class Shell:
    """Runs one role to its end. `run` returns the exit code; the links are the caller's to close."""

    def __init__(
        self,
        role: Role,
        spec: RoleSpec,
        data_link: Link,
        control_link: ControlPeer,
        counters: Counters | None,
        journal: Journal,
    ) -> None:
        self._role = role
        self._spec = spec
        self._data = data_link
        self._control = control_link
        self._counters = counters
        self._journal = journal
        self._behind = BehindJournal(journal)
        self._kernel = KernelReport(peer_name(spec.role, spec.user), data_link)
        self._exit: Exit | None = None
        self._stopping = False
        self._quiet = False
        self._terminated = self._said_goodbye_back = False
        self._computed: deque[tuple[str, Any]] = deque()
        self._agent_lost_s: float | None = None
        self._parent = os.getppid()

    async def run(self) -> int:
        """Until the role exits, is told to stop, gets SIGTERM, loses its agent, or fails."""
        self._wake = asyncio.Event()
        self._compute = ComputeThread(asyncio.get_running_loop(), self._on_result)
        self._handle_signals(True)
        try:
            self._data.set_waker(self._wake.set)
            self._control.set_waker(self._wake.set)
            self._note("started")
            self._require_disk()
            while self._exit is None:
                self._wake.clear()
                if self._terminated:
                    await self._leave()
                elif self._turn():
                    await asyncio.sleep(0)
                elif self._stopping:
                    await self._stop()
                else:
                    await self._sleep()
            self._note("exit", f"code {self._exit.code} {self._exit.detail}".strip())
            await self._until(self._journal.flush)
            self._require_disk()
            return self._exit.code
        except Exception as error:  # noqa: BLE001 - the last one to see it: said to the agent, then the end
            self._crash(error)
            return EXIT_CRASHED
        finally:
            self._handle_signals(False)
            self._data.set_waker(None)
            self._control.set_waker(None)
            self._compute.close(_COMPUTE_WAIT_S)

    # --- one turn -------------------------------------------------------------------------------------

    def _turn(self) -> bool:
        """Handle what has happened, boundedly; whether anything had."""
        busy = self._catch_up()
        for _ in range(_MESSAGES_A_TURN):
            received = self._control.receive_nowait()
            if received is None or self._exit is not None:
                break
            busy = True
            self._on_control(received[1])
        for _ in range(_MESSAGES_A_TURN):
            received = self._data.receive_nowait() if self._exit is None else None
            if received is None:
                break
            busy = True
            self._said_goodbye_back |= isinstance(received[1], Bye)
            self._perform(self._role.on_message(received[1], time.monotonic(), received[0]))
        while self._computed and self._exit is None:
            busy = True
            key, result = self._computed.popleft()
            self._perform(self._role.on_computed(key, result, time.monotonic()))
        wakeup_s = self._role.next_wakeup_s(time.monotonic())
        if self._exit is None and wakeup_s is not None and wakeup_s <= time.monotonic():
            busy = True
            self._perform(self._role.on_tick(time.monotonic()))
        self._look_after_agent()
        return busy

    async def _sleep(self) -> None:
        now_s = time.monotonic()
        wakeup_s = self._role.next_wakeup_s(now_s)
        times = [_PARENT_LOOK_S, None if wakeup_s is None else max(0.0, wakeup_s - now_s)]
        times += [self._data.next_flush_s(), self._control.next_flush_s()]
        if self._agent_lost_s is not None:
            times.append(_AGENT_GRACE_S / 4)
        if self._journal.stalled:
            times.append(_DISK_LOOK_S)
        try:
            async with asyncio.timeout(min(t for t in times if t is not None)):
                await self._wake.wait()
        except TimeoutError:
            self._data.flush()
            self._control.flush()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Exit):
                self._exit = action
                return
            if not self._behind.takes(action, time.monotonic()):
                self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Send():
                self._data.send(action.to, action.message, action.header_errors)
            case Tell():
                self._control.send("agent", action.message)
            case Record():
                self._journal.write(action.event, time.monotonic(), **action.fields)
            case Compute():
                self._compute.submit(action)
            case Drop():
                self._data.drop(action.to, action.message, action.reason)
            case Copied():
                self._data.copied(action.source, action.message, action.times)
            case Disconnect():
                self._data.disconnect(action.to)

    def _catch_up(self) -> bool:
        """Do what had waited for a full disk, once it has room again; whether it had to wait."""
        freed = self._behind.freed(time.monotonic())
        if freed is None:
            return False
        actions, stalled_s = freed
        for action in actions:
            self._do(action)
        self._note(
            "stalled", f"the journal waited {stalled_s:.3f} s for a full disk, {len(actions)} messages for it"
        )
        return True

    def _on_result(self, key: str, result: Any) -> None:
        self._computed.append((key, result))
        self._wake.set()

    # --- control --------------------------------------------------------------------------------------

    def _on_control(self, message: Message) -> None:
        verb = message.verb if isinstance(message, Command) else ""
        if verb == "sample":
            if self._quiet:
                self._kernel.look()
            self._done(verb, dict(flatten(self._counters.rows())) if self._counters else {})
        elif verb == "quiesce":
            self._quiesce()
            self._done(verb, {})
        elif verb == "stop":
            self._stopping = True
        else:
            self._perform(self._role.on_control(message, time.monotonic()))

    def _quiesce(self) -> None:
        if not self._quiet:
            self._quiet = True
            self._data.quiesce()
            self._perform(self._role.quiesce() or [])
            self._kernel.look()

    async def _stop(self) -> None:
        """Wait, boundedly, until the wire is still; report; end."""
        self._quiesce()
        self._note("stopping")
        await self._until(self._kernel.look)
        self._record_kernel()
        self._done("stop", self._kernel.values())
        self._exit = self._exit or Exit(0, "stopped")

    async def _leave(self) -> None:
        """SIGTERM. A peer says goodbye, and takes what is under way to it until the emulator has said it too:
        then both ends of the connection have counted the same."""
        self._note("stopping", "SIGTERM")
        self._quiesce()
        if self._spec.role != "ce":
            bye = Bye(user=self._spec.user, incarnation=self._spec.incarnation)
            self._perform([Send("ce", bye)])
            await self._until(lambda: self._said_goodbye_back)
            if not self._said_goodbye_back:
                self._note("lost", "the emulator did not say goodbye")
        await self._until(self._kernel.look)
        self._record_kernel()
        self._exit = self._exit or Exit(0, "SIGTERM")

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Go on until it holds, for a bounded time: nothing announces it."""
        deadline_s = time.monotonic() + _SETTLE_S
        while not condition() and time.monotonic() < deadline_s:
            self._turn()
            await asyncio.sleep(_SETTLE_STEP_S)

    def _record_kernel(self) -> None:
        for entry in self._kernel.entries():
            self._journal.write("kernel", time.monotonic(), **entry)

    def _done(self, verb: str, values: dict[str, Any]) -> None:
        self._control.send(
            "agent", Done(role=self._spec.role, user=self._spec.user, verb=verb, values=values)
        )

    # --- ends -----------------------------------------------------------------------------------------

    def _look_after_agent(self) -> None:
        """End when the parent process is gone, or the control connection is and does not come back."""
        now_s = time.monotonic()
        if self._control.established or not self._control.events["lost_peer"]:
            self._agent_lost_s = None
        elif self._agent_lost_s is None:
            self._agent_lost_s = now_s
        lost = self._agent_lost_s is not None and now_s - self._agent_lost_s >= _AGENT_GRACE_S
        if self._exit is None and (lost or os.getppid() != self._parent):
            self._exit = Exit(EXIT_ORPHANED, "the agent is gone")

    def _on_sigterm(self) -> None:
        self._terminated = True
        self._wake.set()

    def _handle_signals(self, on: bool) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        if on:
            self._old_sigint = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command handles it
            loop.add_signal_handler(signal.SIGTERM, self._on_sigterm)
        else:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGINT, self._old_sigint)

    def _note(self, what: str, detail: str = "") -> None:
        self._journal.write(
            "process", time.monotonic(), what=what, incarnation=self._spec.incarnation, detail=detail
        )

    def _require_disk(self) -> None:
        """At the beginning and at the end nothing is worth waiting for."""
        if self._journal.stalled:
            raise JournalError(f"{self._journal.path}: events cannot be written ({self._journal.trouble})")

    def _crash(self, error: Exception) -> None:
        with contextlib.suppress(OSError):  # a full disk
            traceback.print_exception(error)  # to the role's log
        line = " ".join(f"{type(error).__name__}: {error}".split())[:2_000]
        try:
            self._note("crashed", line)
        except JournalError as full:
            line = f"{line} ({full})"[:2_000]
        self._control.send(
            "agent",
            RoleFailed(role=self._spec.role, user=self._spec.user, exit_code=EXIT_CRASHED, detail=line),
        )
