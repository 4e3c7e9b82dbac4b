"""The agent's work, on one asyncio loop: processes through forkservers; talking to them is `role_orders`."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import Iterable
from typing import Any

from launch.agent_api import AgentSettings, StopBudget, StopReport, forkserver_of
from launch.chaos.hands import Hands
from launch.errors import LaunchError, RoleRefused
from launch.event_box import AgentEvent, EventBox
from launch.forkserver_start import forkserver_log
from launch.host_address import LOOPBACK, address_in
from launch.nursery import Beginning, Nursery, Report
from launch.ordered_stop import OrderedStop, end_roles
from launch.resources.sampler import RESOURCES_FILE, ResourceLog, Watched, keep_sampling
from launch.role_orders import RoleOrders
from launch.role_table import RoleEntry, RoleTable, last_lines
from launch.runfolder import JOURNAL_FILE
from shared.keys import Guest
from shared.ledger import Counters
from shared.link import ControlHub
from shared.link_curve import make_key_book
from shared.routing import end_name
from shared.spec import RoleSpec
from shared.wire.messages import (
    AskResult,
    Command,
    Done,
    Message,
    Progress,
    Ready,
    RoleFailed,
    WorkloadDone,
)


class AgentCore:
    """All methods run on the agent's loop."""

    def __init__(self, settings: AgentSettings, events: EventBox) -> None:
        self._settings = settings
        self._events = events
        self._table = RoleTable()
        self._tasks: list[asyncio.Task[None]] = []
        self._sampling: asyncio.Task[None] | None = None
        self._nudges: asyncio.Queue[bool] = asyncio.Queue()
        self._broken: str | None = None
        self._hub: ControlHub
        self.orders: RoleOrders
        self._keys = make_key_book(settings.curve_users) if settings.curve_users else None
        self._data_host = LOOPBACK
        self._bundle: str | None = None  # where it is on this host, if not where the configuration says
        self._nurseries = {
            label: Nursery(
                label,
                Beginning(settings.run_id, modules, forkserver_log(settings.run_dir / "logs", label)),
                self._on_report,
                settings.early.get(label),
            )
            for label, modules in settings.forkservers().items()
        }
        self.hands = Hands(self._table, self._nursery_of, settings.run_dir / JOURNAL_FILE)

    async def join(self, data_network: str | None, node_address: str, bundle: str | None) -> str:
        """Be one of several hosts: the address at which the emulator listens, if it is here."""
        self._data_host = address_in(data_network, node_address, self._settings.host)
        self._bundle = bundle
        return self._data_host

    async def introduce(self, names: list[str]) -> dict[str, Guest]:
        return {} if self._keys is None else self._keys.introduce(names)

    async def learn(self, guests: dict[str, Guest]) -> None:
        if self._keys is not None:
            self._keys.learn(guests)

    async def open(self) -> None:
        for nursery in self._nurseries.values():
            await nursery.open()
        keys = None if self._keys is None else self._keys.agent()
        self._hub = ControlHub(Counters(self._settings.run_dir / "counters" / "agent.0.bin"), keys=keys)
        self.orders = RoleOrders(self._hub, self._table)
        self._tasks.append(asyncio.create_task(self._receive()))
        if self._settings.sample_every_s is not None:
            self._sampling = asyncio.create_task(self._sample(self._settings.sample_every_s))
            self._tasks.append(self._sampling)

    # --- starting -------------------------------------------------------------------------------------

    async def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        entries = [self._fork(spec) for spec in specs]
        return await self._until_ready(entries, timeout_s)

    async def start(self, spec: RoleSpec) -> None:
        self._fork(spec)

    async def start_next(self, name: str, beside: bool) -> None:
        old = self._table[name]
        old.asked_to_end |= beside  # it is told that it has been replaced, and ends by itself
        endpoint = old.ready.endpoint if old.ready is not None and old.spec.role == "ce" else ""
        spec = dataclasses.replace(
            old.spec,
            incarnation=old.spec.incarnation + 1,
            data_endpoint=endpoint or old.spec.data_endpoint,
        )
        self._fork(spec, beside)

    def _fork(self, spec: RoleSpec, beside: bool = False) -> RoleEntry:
        if self._broken is not None:
            raise LaunchError(self._broken)
        known = self._table.get(spec.name)
        if known is not None and known.alive and not beside:
            raise LaunchError(f"{spec.name} runs already (pid {known.pid})")
        keys = None if self._keys is None else self._keys.role(spec.name)
        bundle = self._bundle or spec.config.bundle
        data_endpoint = spec.data_endpoint or (f"tcp://{self._data_host}:0" if spec.role == "ce" else "")
        spec = dataclasses.replace(
            spec,
            config=spec.config.model_copy(update={"bundle": bundle}),
            run_dir=self._settings.run_dir,
            host=self._settings.host,
            control_endpoint=self._hub.endpoint,
            data_endpoint=data_endpoint,
            keys=keys,
        )
        entry = RoleEntry(spec)
        self._table.add(entry)
        self._nursery_of(spec).fork(spec, self._settings.role_modules[spec.role])
        return entry

    async def _until_ready(self, entries: list[RoleEntry], timeout_s: float) -> list[Ready]:
        settled = await self._until(entries, lambda e: e.ready is not None or not e.alive, timeout_s)
        ended = [entry for entry in entries if not entry.alive]
        if self._broken is not None:
            raise LaunchError(self._broken)
        if ended:
            report = ended[0].crash_report()
            if report.exit_code == 2 and report.detail:  # the role says what is wrong with its input
                raise RoleRefused(f"{report.name}: {report.detail}")
            raise LaunchError(report.line())
        if not settled:
            missing = ", ".join(entry.spec.name for entry in entries if entry.ready is None)
            logs = self._settings.run_dir / "logs"
            raise LaunchError(f"not ready within {timeout_s:g} s: {missing} (logs: {logs})")
        return [entry.ready for entry in entries if entry.ready is not None]

    async def _until(self, entries: list[RoleEntry], settled: Any, timeout_s: float) -> bool:
        """Whether all became settled in time; stops early when one has ended or the forkserver broke."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while not all(settled(entry) for entry in entries):
            if self._broken is not None or any(e.ready is None and not e.alive for e in entries):
                return False
            for entry in entries:
                entry.changed.clear()
            waits = [asyncio.ensure_future(entry.changed.wait()) for entry in entries]
            done, pending = await asyncio.wait(
                waits, timeout=deadline_s - loop.time(), return_when=asyncio.FIRST_COMPLETED
            )
            for wait in pending:
                wait.cancel()
            if not done:
                return False
        return True

    # --- while it runs --------------------------------------------------------------------------------

    async def begin(self) -> None:
        self._nudges.put_nowait(False)  # so that what starting took can be told from the rest
        self.orders.tell("bs", Command(verb="start"))

    async def roles(self) -> list[dict[str, Any]]:
        return [entry.describe(self._settings.host) for entry in self._table]

    async def stop(self, budget: StopBudget) -> StopReport:
        await self.hands.let_go()
        settled = await OrderedStop(self.orders, budget).run()
        return (await self.finish(budget)).after(settled)

    async def finish(self, budget: StopBudget) -> StopReport:
        """The last step of a stop: every role ends. What they used is noted once more, unless in a hurry."""
        await self.hands.let_go()
        if self._sampling is not None and budget.sample_s:
            self._nudges.put_nowait(True)
            await asyncio.wait([self._sampling], timeout=budget.sample_s)
        report = await end_roles(self, self._table, budget, self._settings.host)
        await self._close_nurseries()
        return report

    async def close(self) -> None:
        await self._close_nurseries()
        for task in self._tasks:
            task.cancel()
        self._hub.close()

    async def _close_nurseries(self) -> None:
        await self.hands.let_go()
        await asyncio.gather(*(nursery.close() for nursery in self._nurseries.values()))

    async def _sample(self, every_s: float) -> None:
        try:
            log = ResourceLog(self._settings.run_dir / RESOURCES_FILE)
            await keep_sampling(log, every_s, self._watched, self._nudges)
        except OSError as error:  # a full disk, say: the run goes on without
            line = f"resources are no longer sampled: {error}"
            self._events.put(AgentEvent("not_sampled", "agent", -1, {"line": line}))

    def _watched(self) -> list[Watched]:
        """The living roles, this process and the one that it ends with."""
        owner_pid = self._settings.owner_pid
        launcher = [] if owner_pid is None else [Watched("supervisor", -1, 0, owner_pid)]
        roles = [e.watched() for e in self._table if e.alive]
        return [*filter(None, roles), Watched("agent", -1, 0, os.getpid()), *launcher]

    # --- for the last step of a stop ------------------------------------------------------------------

    def kill(self, entry: RoleEntry) -> None:
        with contextlib.suppress(LaunchError):
            self._nursery_of(entry.spec).signal(entry.spec, signal.SIGKILL)

    async def ended(self, entries: Iterable[RoleEntry], timeout_s: float) -> list[RoleEntry]:
        """Wait for processes to end; returns those that have not."""
        waited_for = list(entries)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while running := [entry for entry in waited_for if entry.alive]:
            running[0].changed.clear()
            try:
                await asyncio.wait_for(running[0].changed.wait(), deadline_s - loop.time())
            except TimeoutError:
                break
        return [entry for entry in waited_for if entry.alive]

    # --- what comes in --------------------------------------------------------------------------------

    async def _receive(self) -> None:
        while True:
            name, message = await self._hub.receive()
            entry = self._table.get(end_name(name))
            if entry is not None:
                self._on_message(entry, message)

    def _on_message(self, entry: RoleEntry, message: Message) -> None:
        spec = entry.spec
        if isinstance(message, Ready) and message.incarnation == spec.incarnation:
            entry.ready = message
            self._put("ready", spec, {"pid": message.pid, "incarnation": message.incarnation})
            entry.changed.set()
            if spec.role == "bs":
                self.orders.ask_again()
        elif isinstance(message, RoleFailed):
            entry.failed = message
        elif isinstance(message, WorkloadDone):
            self._put("workload_done", spec, {"attempted": message.attempted})
        elif isinstance(message, Done):
            self.orders.done(spec.name, message)
        elif isinstance(message, AskResult):
            self.orders.answered(message)
        elif isinstance(message, Progress):
            self._put("progress", spec, dict(message.values))

    def _on_report(self, report: Report) -> None:
        """A forkserver tells."""
        if report["event"] == "forked":
            self._table.process(report["name"], report["incarnation"]).pid = report["pid"]
        elif report["event"] == "exited":
            self._on_exit(self._table.process(report["name"], report["incarnation"]), report["code"])
        elif report["event"] == "unloadable":
            self._break(f"{report['module']} cannot be imported: {report['detail']}")
        elif report["event"] == "ended":
            running = [e for e in self._table if e.alive and forkserver_of(e.spec.role) == report["label"]]
            last = last_lines(forkserver_log(self._settings.run_dir / "logs", report["label"]))
            if running:
                self._break(f"forkserver {report['label']} ended: {last[-1] if last else 'no output'}")
            for entry in running:
                self._on_exit(entry, -9)

    def _on_exit(self, entry: RoleEntry, code: int) -> None:
        entry.exit_code = code
        report = entry.crash_report()
        what = "ended" if entry.asked_to_end else "crashed"
        self._put(what, entry.spec, {**dataclasses.asdict(report), "line": report.line()})
        entry.changed.set()

    def _break(self, detail: str) -> None:
        if self._broken is None:
            self._broken = detail
            self._events.put(AgentEvent("agent_failed", "agent", -1, {"line": detail}))
        for entry in self._table:
            entry.changed.set()

    def _put(self, what: str, spec: RoleSpec, values: dict[str, Any]) -> None:
        self._events.put(AgentEvent(what, spec.role, spec.user, values))

    # --- names ----------------------------------------------------------------------------------------

    def _nursery_of(self, spec: RoleSpec) -> Nursery:
        return self._nurseries[forkserver_of(spec.role)]
