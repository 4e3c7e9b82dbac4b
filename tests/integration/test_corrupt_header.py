"""Damaged headers over real sockets: bytes travel, receivers find them, and ledger and kernel agree."""

from collections import Counter
from pathlib import Path

from channel_emulator.role import ChannelEmulator
from launch.verdict.findings import Findings
from launch.verdict.links import check_links
from shared.accounting import RELAYED
from shared.actions import Action, Copied, Disconnect, Drop, Send
from shared.link import DataHub
from shared.wire.messages import Message
from tests.integration.links import Star, kernel_agrees, take_all, until
from tests.unit.channel_emulator.support import (
    answer,
    cancel,
    config,
    feedback,
    frame,
    hello,
    side_info,
    spec,
)

USERS, ROUNDS = 3, 60
FAULT = {
    "fault": "corrupt_header", "probability": 0.4, "bits": 2, "direction": "both",
    "classes": ["public", "private", "side", "control", "feedback"],
}  # fmt: skip
KINDS = ("symbol_frame", "side_info", "cancel", "feedback", "answer")
COPIES = {"fault": "duplicate", "probability": 0.2}


def perform(hub: DataHub, actions: list[Action]) -> None:
    for action in actions:
        match action:
            case Send():
                hub.send(action.to, action.message, action.header_errors)
            case Drop():
                hub.drop(action.to, action.message, action.reason)
            case Copied():
                hub.copied(action.source, action.message, action.times)
            case Disconnect():
                hub.disconnect(action.to)


def downlinks(i: int) -> list[Message]:
    user = i % USERS
    return [
        frame(users=tuple(range(USERS)), frame_id=i),
        frame(users=(user,), frame_id=1_000 + i),
        side_info(user, f"r{i:06d}"),
        cancel(user, f"r{i:06d}"),
    ]


async def test_every_damaged_byte_is_in_the_books_of_both_ends_and_of_the_kernel(tmp_path: Path) -> None:
    emulator = ChannelEmulator(spec(config(users=USERS, model="rayleigh", faults=(FAULT, COPIES))))
    heard: dict[str, Counter[str]] = {}
    async with Star(tmp_path, USERS) as star:
        for name in star.peers:  # the star has introduced its peers to the hub: now to the emulator
            user = int(name[3:]) if name != "bs" else -1
            perform(star.hub, emulator.on_message(hello(user), 0.0, name))
        for i in range(ROUNDS):
            for message in downlinks(i):
                star.peers["bs"].send("ce", message)
            user = i % USERS
            star.peers[f"ue:{user}"].send("ce", feedback(user, f"r{i:06d}"))
            star.peers[f"ue:{user}"].send("ce", answer(user, attempt=i))
        relayed = 0
        while relayed < 6 * ROUNDS:
            source, message = await star.hub.receive()
            relayed += message.KIND != "credit"
            perform(star.hub, emulator.on_message(message, 0.0, source))

        def settled() -> bool:
            for name, peer in star.peers.items():
                heard.setdefault(name, Counter()).update(m.KIND for m in take_all(peer))
            return not star.hub.pending_bytes and all(kernel_agrees(link) for link in star.links())

        await until(settled, star.hub)
        rows = [row for name in star.counters for row in star.rows(name)]
        assert star.wire("ce", "offered") == sum(c.sent for c in star.hub.connections())
    findings = Findings()
    check_links(rows, [], True, findings)
    assert findings.faults == []
    struck = emulator.progress_values()["fault_corrupt_header.0"]
    damaged = {
        end: sum(v.frames for k, v in rows if (k.end, k.klass, k.outcome) == (end, "unknown", outcome))
        for end, outcome in (("ce", "offered"), *((e, "dropped") for e in ("bs", "ue-0", "ue-1", "ue-2")))
    }
    assert damaged["ce"] == sum(n for end, n in damaged.items() if end != "ce")
    assert all(damaged.values())
    assert damaged["ce"] >= struck > 100  # copies are damaged like their first
    relayed_here = [(k, v) for k, v in rows if k.end != "ce" and k.klass in RELAYED]
    delivered = sum(v.frames for k, v in relayed_here if k.outcome == "delivered")
    assert sum(kinds[kind] for kinds in heard.values() for kind in KINDS) == delivered > 0
