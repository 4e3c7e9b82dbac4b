"""The ordered stop: drain, quiesce, equal counters, stop. What does not follow in time is killed.

drain     base station, then UEs, then emulator: everything open gets its terminal state
quiesce   all: no more heartbeats and credit, so that the wire falls silent
counters  sampled until what one end of a link offered is what the other end got or dropped
stop      all: kernel counters to the journal, connections closed, exit 0
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from launch.agent_api import StopBudget, StopReport
from launch.role_table import RoleTable
from shared.ledger import unflatten
from shared.ledger_rows import LedgerRow
from shared.wire.messages import Done

if TYPE_CHECKING:
    from launch.agent_core import AgentCore

_DRAIN_ORDER = ("bs", "ue", "ce")


class Crew(Protocol):
    """The roles of a run, on one host or on many."""

    async def up(self, role: str = "") -> list[str]:
        """Those that can follow a command; of one kind."""

    async def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        """Give a command to roles and gather what answers in time."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether all is drained and the ends of every link agree; `late` names who missed which step."""

    drained: bool
    counters_equal: bool
    late: dict[str, list[str]] = field(default_factory=dict)


class OrderedStop:
    """All steps but the last. One use."""

    def __init__(self, crew: Crew, budget: StopBudget) -> None:
        self._crew = crew
        self._budget = budget
        self._late: dict[str, list[str]] = {}

    async def run(self) -> Settled:
        """Returns when nothing is under way any more, or its time is over."""
        drained = await self._drain()
        await self._command(await self._crew.up(), "quiesce", self._budget.quiesce_s)
        equal = await self._counters_equal()
        return Settled(drained, equal, self._late)

    async def _drain(self) -> bool:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._budget.drain_s
        for role in _DRAIN_ORDER:
            await self._command(await self._crew.up(role), "drain", max(0.05, deadline_s - loop.time()))
        return "drain" not in self._late

    async def _counters_equal(self) -> bool:
        """Whether the ends agree within the budget; a link with a killed end never does."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._budget.counters_s
        while (left_s := deadline_s - loop.time()) > 0:
            names = await self._crew.up()
            samples = await self._crew.command(names, "sample", left_s)
            whole = len(samples) == len(names)  # an end that did not answer agrees with nothing
            if whole and ends_agree([row for done in samples.values() for row in _rows(done)]):
                return True
            await asyncio.sleep(0.02)  # the wait for frames in flight, which announce themselves to nobody
        self._late["counters"] = []
        return False

    async def _command(self, names: list[str], verb: str, timeout_s: float) -> dict[str, Done]:
        done = await self._crew.command(names, verb, timeout_s)
        late = [name for name in names if name not in done]
        if late:
            self._late.setdefault(verb, []).extend(late)
        return done


async def end_roles(agent: "AgentCore", table: RoleTable, budget: StopBudget, host: str) -> StopReport:
    """The last step, on one host. Returns when every role has ended."""
    crashes = [e.crash_report() for e in table if not e.alive and not e.asked_to_end]
    for entry in table:
        entry.asked_to_end = True
    names = await agent.orders.up()
    done = await agent.orders.command(names, "stop", budget.exit_s)
    late = [name for name in names if name not in done]
    killed = await agent.ended(table, budget.exit_s / 2)
    for entry in killed:
        agent.kill(entry)
    await agent.ended(killed, 2.0)
    return StopReport(
        roles=[entry.describe(host) for entry in table],
        late={"stop": late} if late else {},
        killed=[entry.spec.name for entry in killed],
        crashes=crashes,
        kernel={name: dict(answer.values) for name, answer in done.items()},
    )


def _rows(done: Done) -> list[LedgerRow]:
    return unflatten(dict(done.values))


def ends_agree(rows: list[LedgerRow]) -> bool:
    """Whether, per hop and direction, wire bytes offered at one end equal those that reached the other."""
    offered: Counter[tuple[str, str]] = Counter()
    arrived: Counter[tuple[str, str]] = Counter()
    for key, values in rows:
        if key.hop not in ("bs-ce", "ce-ue"):
            continue
        received = key.outcome == "delivered" or (
            key.outcome == "dropped" and _receiving(key.end, key.hop, key.direction)
        )
        if key.outcome == "offered":
            offered[key.hop, key.direction] += values.wire_bytes
        elif received:
            arrived[key.hop, key.direction] += values.wire_bytes
    return offered == arrived


def _receiving(end: str, hop: str, direction: str) -> bool:
    """Whether `end` is where frames of this hop and direction arrive."""
    if hop == "bs-ce":
        return end == ("ce" if direction == "down" else "bs")
    return (end == "ce") == (direction == "up")
