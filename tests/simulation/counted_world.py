"""The world with books at every end of every hop, as processes have them, and the verdict on its run."""

from pathlib import Path
from typing import Any

from launch.verdict import Verdict, check
from shared.actions import Action, Copied, Drop, Send
from shared.ledger import Counters, LedgerRow, merge
from shared.link_types import sizes_of
from shared.meter import Meter, Sizes
from shared.wire.codec import encode
from shared.wire.messages import Message
from tests.simulation.world import Node, World


class CountedWorld(World):
    """Without mischief: what is lost, the emulator's own faults lose, and its books say so.

    Counters lie in `folder`.
    """

    def __init__(self, folder: Path, *args: Any, **settings: Any) -> None:
        self._folder = folder
        self._books: dict[str, tuple[Counters, Meter]] = {}
        super().__init__(*args, **settings)

    def finish(self) -> None:
        """The workload to its end, then the ordered stop: nothing is under way any more."""
        self.run_workload()
        for name in ("bs", *(n for n in self.nodes if n.startswith("ue")), "ce"):
            drained = len(self.told("done"))
            self.command(name, "drain")
            self.run(60.0, until=lambda n=drained: len(self.told("done")) > n)
        for node in self.nodes.values():
            self._perform(node, node.role.quiesce() or [])
        self.run(1.0)

    def rows(self) -> list[LedgerRow]:
        return merge(row for counters, _ in self._books.values() for row in counters.rows())

    def verdict(self) -> Verdict:
        return check(self.journal, self.rows(), planned=len(self._workload))

    def close(self) -> None:
        for counters, _ in self._books.values():
            counters.close()

    def _meter(self, name: str) -> Meter:
        if name not in self._books:
            counters = Counters(self._folder / f"{name.replace(':', '-')}.0.bin")
            self._books[name] = counters, Meter(counters, name)
        return self._books[name][1]

    def _perform(self, node: Node, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Drop):
                self._meter(node.name).given_up(
                    action.to, action.message, _sizes(action.message), action.reason
                )
            elif isinstance(action, Copied):
                self._meter(node.name).copied(
                    action.source, action.message, _sizes(action.message), action.times
                )
        super()._perform(node, actions)

    def _send(self, node: Node, send: Send) -> None:
        damaged = send.header_errors is not None
        self._meter(node.name).offered(send.to, send.message, _sizes(send.message), damaged=damaged)
        super()._send(node, send)

    def _deliver(self, source: str, target: Node, message: Message) -> None:
        if target.backlog is None and target.alive:
            self._meter(target.name).delivered(source, message, _sizes(message))
        super()._deliver(source, target, message)


def _sizes(message: Message) -> Sizes:
    return sizes_of(encode(message))
