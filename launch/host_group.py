"""The agents of several hosts as one: each role is asked for at the agent of its host.

A thread a host waits for its events, which is also how a host is watched: an agent that does not answer in
time, or is gone, is the loss of its host, told as the event 'host_lost'. Its roles count as lost then, and
nobody waits for it again.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from launch.agent_api import AgentApi, StopBudget, StopReport
from launch.chaos.place import name_of
from launch.errors import HostLost, LaunchError
from launch.event_box import AgentEvent, EventBox
from launch.host_api import HostApi
from launch.ordered_stop import OrderedStop
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Done, Ready

LOST_EXIT_CODE = -9
"""Of a role whose host was lost: nobody has seen its end."""
_POLL_S = 1.0
T = TypeVar("T")


class HostGroup(AgentApi):
    """`agents` by host name, `host_of` by role name, `addresses` of hosts on the data network."""

    def __init__(
        self,
        agents: Mapping[str, HostApi],
        host_of: Mapping[str, str],
        addresses: Mapping[str, str],
    ) -> None:
        self._agents = dict(agents)
        self._host_of = dict(host_of)
        self._addresses = dict(addresses)
        self._events = EventBox()
        self._known: dict[str, list[dict[str, Any]]] = {}
        self._losing = threading.Lock()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(len(self._agents), thread_name_prefix="m4sc-hosts")
        self.lost: dict[str, str] = {}
        for host in self._agents:
            threading.Thread(target=self._watch, args=(host,), name="m4sc-watch", daemon=True).start()

    # --- roles ----------------------------------------------------------------------------------------

    def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        of_host: dict[str, list[RoleSpec]] = {}
        for spec in specs:
            of_host.setdefault(self._host_of[spec.name], []).append(spec)
        self._living(of_host)
        told = self._at_once(of_host, lambda host: self._agents[host].launch(of_host[host], timeout_s))
        return [ready for readies in told.values() for ready in readies]

    def begin(self) -> None:
        self._of("bs").begin()

    def ask(self, question: Ask, timeout_s: float) -> AskResult:
        return self._of("bs").ask(question, timeout_s)

    def events(self, timeout_s: float) -> list[AgentEvent]:
        return self._events.take(timeout_s)

    def start(self, spec: RoleSpec) -> None:
        self._of(spec.name).start(spec)

    def start_next(self, name: str, beside: bool = False) -> None:
        self._of(name).start_next(name, beside)

    def end(self, name: str) -> None:
        self._of(name).end(name)

    def signal(self, name: str, number: int, incarnation: int | None = None) -> None:
        self._of(name).signal(name, number, incarnation)

    def slow(self, name: str, cpu_share: float, for_s: float) -> None:
        self._of(name).slow(name, cpu_share, for_s)

    def fill_disk(self, name: str) -> None:
        self._of(name).fill_disk(name)

    def go_on(self, name: str) -> None:
        self._of(name).go_on(name)

    def inject(self, fault: str) -> dict[str, Any]:
        return self._of("ce").inject(fault)

    def roles(self) -> list[dict[str, Any]]:
        """Of all hosts, with `address`: their host's; of lost ones as they were known last, ended."""
        self._known |= self.ask_all(lambda _, agent: agent.roles())
        return [role for host in self._agents for role in self._described(host)]

    # --- the end --------------------------------------------------------------------------------------

    def stop(self, budget: StopBudget) -> StopReport:
        self.roles()  # as they were before anything ends
        self.ask_all(_let_go)
        settled = asyncio.run(OrderedStop(_Crew(self, self._host_of), budget).run())
        reports = self.ask_all(lambda _, agent: agent.finish(budget))
        self._known |= {host: report.roles for host, report in reports.items()}
        self._closing.set()
        for events in self.ask_all(lambda _, agent: agent.events(0.0)).values():
            for event in events:
                self._events.put(event)
        merged = StopReport(roles=[role for host in self._agents for role in self._described(host)])
        for report in reports.values():
            merged.killed.extend(report.killed)
            merged.crashes.extend(report.crashes)
            merged.kernel.update(report.kernel)
            for step, names in report.late.items():
                merged.late.setdefault(step, []).extend(names)
        return merged.after(settled)

    def close(self) -> None:
        """After the last question."""
        self._closing.set()
        self._pool.shutdown(wait=False)

    def living(self) -> dict[str, HostApi]:
        """The agents of hosts that are not lost."""
        return {host: agent for host, agent in self._agents.items() if host not in self.lost}

    def lose(self, host: str, why: str) -> None:
        """From now on nobody waits for this host. First call only."""
        with self._losing:
            if host in self.lost:
                return
            self.lost[host] = why
        names = [role for role, place in self._host_of.items() if place == host]
        line = f"host {host} is lost: {why}"
        self._events.put(AgentEvent("host_lost", "agent", -1, {"host": host, "line": line, "names": names}))

    # --- hosts ----------------------------------------------------------------------------------------

    def _watch(self, host: str) -> None:
        while not self._closing.is_set() and host not in self.lost:
            try:
                for event in self._agents[host].events(_POLL_S):
                    self._events.put(event)
            except HostLost as error:
                if not self._closing.is_set():
                    self.lose(host, str(error))

    def _of(self, name: str) -> HostApi:
        host = self._host_of.get(name)
        if host is None:
            raise LaunchError(f"{name}: no such role in this run")
        self._living([host])
        return self._agents[host]

    def _living(self, hosts: Iterable[str]) -> None:
        for host in hosts:
            if host in self.lost:
                raise LaunchError(f"host {host} is lost: {self.lost[host]}")

    def _described(self, host: str) -> list[dict[str, Any]]:
        roles = [{**role, "address": self._addresses.get(host, "")} for role in self._known.get(host, ())]
        if host in self.lost:
            roles = [role if role["exit_code"] is not None else _lost(role) for role in roles]
        return roles

    def ask_all(self, question: Callable[[str, HostApi], T]) -> dict[str, T]:
        """The answers of all living hosts; who does not answer is lost."""

        def ask(host: str) -> tuple[T] | None:
            try:
                return (question(host, self._agents[host]),)
            except HostLost as error:
                self.lose(host, str(error))
                return None

        told = self._at_once(self.living(), ask)
        return {host: answer[0] for host, answer in told.items() if answer is not None}

    def _at_once(self, hosts: Iterable[str], ask: Callable[[str], T]) -> dict[str, T]:
        """Waits for all, then raises what the first one raised."""
        futures = {host: self._pool.submit(ask, host) for host in hosts}
        return {host: future.result() for host, future in futures.items()}


class _Crew:
    """The roles of all living hosts, for the steps of an ordered stop."""

    def __init__(self, group: HostGroup, host_of: Mapping[str, str]) -> None:
        self._group = group
        self._host_of = host_of

    async def up(self, role: str = "") -> list[str]:
        told = await asyncio.to_thread(self._group.ask_all, lambda _, agent: agent.up(role))
        return [name for names in told.values() for name in names]

    async def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        of_host: dict[str, list[str]] = {}
        for name in names:
            of_host.setdefault(self._host_of[name], []).append(name)

        def command(host: str, agent: HostApi) -> dict[str, Done]:
            return agent.command(of_host[host], verb, timeout_s) if host in of_host else {}

        told = await asyncio.to_thread(self._group.ask_all, command)
        return {name: done for of_one in told.values() for name, done in of_one.items()}


def _let_go(_: str, agent: HostApi) -> None:
    """Nobody stays slowed down or stopped."""
    for role in agent.roles():
        try:
            if role["exit_code"] is None:
                agent.go_on(name_of(role))
        except HostLost:
            raise
        except LaunchError:
            continue  # its forkserver is gone, and it with that


def _lost(role: dict[str, Any]) -> dict[str, Any]:
    return {**role, "exit_code": LOST_EXIT_CODE}
