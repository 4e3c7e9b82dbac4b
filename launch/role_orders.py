"""What the agent says to its roles over their control links, and what they answer."""

import asyncio
from collections.abc import Iterable
from typing import Any

from launch.errors import LaunchError
from launch.role_table import RoleTable
from shared.link import ControlHub
from shared.routing import peer_name
from shared.wire.messages import Ask, AskResult, Command, Done, Inject, Message


class RoleOrders:
    """On the agent's loop, which hands over what comes in."""

    def __init__(self, hub: ControlHub, table: RoleTable) -> None:
        self._hub = hub
        self._table = table
        self._asks: dict[str, tuple[Ask, asyncio.Future[AskResult]]] = {}
        self._done: dict[tuple[str, str], asyncio.Future[Done]] = {}
        self._injecting = asyncio.Lock()

    async def ask(self, question: Ask, timeout_s: float) -> AskResult:
        """Asked again of a base station that takes another's place: it knows what it has taken in."""
        answer: asyncio.Future[AskResult] = asyncio.get_running_loop().create_future()
        self._asks[question.ask_id] = question, answer
        try:
            self._put_to_base_station(question)
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            raise LaunchError(f"no terminal state of the question within {timeout_s:g} s") from None
        finally:
            self._asks.pop(question.ask_id, None)

    async def inject(self, fault: str, timeout_s: float) -> dict[str, Any]:
        async with self._injecting:  # answers carry no name of the question
            told = await self.order(["ce"], Inject(fault=fault), "inject", timeout_s)
        if "ce" not in told:
            raise LaunchError(f"the emulator took no fault within {timeout_s:g} s")
        return told["ce"].values

    async def up(self, role: str = "") -> list[str]:
        """Living roles that can follow a command: those that said they were ready."""
        return [
            entry.spec.name
            for entry in self._table.latest()
            if entry.alive and entry.ready is not None and entry.spec.role.startswith(role)
        ]

    def tell(self, name: str, message: Message) -> None:
        """Put a message on a role's control link. Raises `LaunchError` if there is no such living role."""
        entry = self._table[name]
        if not entry.alive:
            raise LaunchError(f"{name} is not running")
        spec = entry.spec
        self._hub.send(peer_name(spec.role, spec.user), message)

    async def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        """Give a command to roles and gather what answers in time."""
        return await self.order(names, Command(verb=verb), verb, timeout_s)

    async def order(
        self, names: Iterable[str], message: Message, verb: str, timeout_s: float
    ) -> dict[str, Done]:
        """Tell roles something and gather who says in time that `verb` is done."""
        waiting: dict[str, asyncio.Future[Done]] = {}
        for name in names:
            waiting[name] = asyncio.get_running_loop().create_future()
            self._done[name, verb] = waiting[name]
            try:
                self.tell(name, message)
            except LaunchError:
                del waiting[name]
        if waiting:
            await asyncio.wait(waiting.values(), timeout=timeout_s)
        for name in waiting:
            self._done.pop((name, verb), None)
        return {
            name: future.result()
            for name, future in waiting.items()
            if future.done() and not future.cancelled()
        }

    # --- what comes in; what nobody waits for any more is let go --------------------------------------

    def done(self, name: str, message: Done) -> None:
        """Of the role of that name."""
        waiting = self._done.get((name, message.verb))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def answered(self, message: AskResult) -> None:
        asked = self._asks.get(message.ask_id)
        if asked is not None and not asked[1].done():
            asked[1].set_result(message)

    def ask_again(self) -> None:
        """The base station is another process now: it is told what is still open."""
        for question, answer in self._asks.values():
            if not answer.done():
                self._put_to_base_station(question)

    def _put_to_base_station(self, question: Ask) -> None:
        """Unless it has ended: then to the next one, when that is ready."""
        if self._table["bs"].alive:
            self.tell("bs", question)
