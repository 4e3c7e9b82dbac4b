"""The ordered stop: drain, quiesce, equal counters, stop. What does not follow in time is killed.

drain     base station, then UEs, then emulator: everything open gets its terminal state
quiesce   all: no more heartbeats and credit, so that the wire falls silent
counters  sampled until what one end of a link offered is what the other end got or dropped
stop      all: kernel counters to the journal, connections closed, exit 0
"""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from launch.agent_api import StopBudget, StopReport
from launch.role_table import RoleTable
from shared.ledger import unflatten
from shared.ledger_rows import LedgerRow
from shared.wire.messages import Done

if TYPE_CHECKING:
    from launch.agent_core import AgentCore

_DRAIN_ORDER = ("bs", "ue", "ce")


class OrderedStop:
    """One use. `table` is the agent's own."""

    def __init__(self, agent: "AgentCore", table: RoleTable, budget: StopBudget, host: str) -> None:
        self._agent = agent
        self._table = table
        self._budget = budget
        self._host = host
        self._late: dict[str, list[str]] = {}

    async def run(self) -> StopReport:
        """Returns when every role has ended."""
        crashes = [e.crash_report() for e in self._table if not e.alive and not e.asked_to_end]
        drained = await self._drain()
        await self._command(self._alive(), "quiesce", self._budget.quiesce_s)
        equal = await self._counters_equal()
        for entry in self._table:
            entry.asked_to_end = True
        done = await self._command(self._alive(), "stop", self._budget.exit_s)
        killed = await self._agent.ended(self._table, self._budget.exit_s / 2)
        for entry in killed:
            self._agent.kill(entry)
        await self._agent.ended(killed, 2.0)
        return StopReport(
            roles=[entry.describe(self._host) for entry in self._table],
            drained=drained,
            counters_equal=equal,
            late=self._late,
            killed=[entry.spec.name for entry in killed],
            crashes=crashes,
            kernel={name: dict(answer.values) for name, answer in done.items()},
        )

    def _alive(self, role: str = "") -> list[str]:
        """Living roles that could follow a command: those that said they were ready."""
        return [
            entry.spec.name
            for entry in self._table.latest()
            if entry.alive and entry.ready is not None and entry.spec.role.startswith(role)
        ]

    async def _drain(self) -> bool:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._budget.drain_s
        for role in _DRAIN_ORDER:
            await self._command(self._alive(role), "drain", max(0.05, deadline_s - loop.time()))
        return "drain" not in self._late

    async def _counters_equal(self) -> bool:
        """Whether the ends agree within the budget; a link with a killed end never does."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._budget.counters_s
        while (left_s := deadline_s - loop.time()) > 0:
            names = self._alive()
            samples = await self._agent.command(names, "sample", left_s)
            whole = len(samples) == len(names)  # an end that did not answer agrees with nothing
            if whole and ends_agree([row for done in samples.values() for row in _rows(done)]):
                return True
            await asyncio.sleep(0.02)  # the wait for frames in flight, which announce themselves to nobody
        self._late["counters"] = []
        return False

    async def _command(self, names: list[str], verb: str, timeout_s: float) -> dict[str, Done]:
        done = await self._agent.command(names, verb, timeout_s)
        late = [name for name in names if name not in done]
        if late:
            self._late.setdefault(verb, []).extend(late)
        return done


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
