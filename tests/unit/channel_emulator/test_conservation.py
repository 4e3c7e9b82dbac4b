"""What the emulator takes in is what it hands on, copies, or drops: by the ledger, class by class."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from channel_emulator.role import ChannelEmulator
from shared.actions import Action, Copied, Disconnect, Drop, Send
from shared.ledger import Counters
from shared.memory_link import MemoryHub, MemoryPeer
from shared.wire.messages import Message
from tests.unit.channel_emulator.support import (
    answer,
    cancel,
    config,
    feedback,
    frame,
    hello,
    qpsk,
    side_info,
    spec,
)

RELAYED = ("public", "private", "side", "control", "feedback")


HARMS: dict[str, dict[str, object]] = {
    "burst_loss": {"turn_bad": 0.2, "turn_good": 0.5},
    "corrupt": {"bit_error_rate": 0.02},
    "corrupt_header": {"probability": 0.3},
    "delay": {"delay_ms": 20.0, "jitter_ms": 15.0},
    "duplicate": {"probability": 0.4, "copies": 2},
    "partition": {"users": (1,)},
    "rate_limit": {"kbytes_per_s": 5.0, "queue_kbytes": 1.0},
    "reorder": {"probability": 0.3},
    "truncate": {"probability": 0.3},
}


def _exchange(hub: MemoryHub, emulator: ChannelEmulator) -> None:
    """The emulator works through its inbox, then through what it held back but for a last message."""
    while (arrived := hub.receive_nowait()) is not None:
        source, message = arrived
        _perform(hub, emulator.on_message(message, 0.0, source))
    while len(emulator._passage) > 1:
        wakeup_s = emulator._passage.next_wakeup_s()
        assert wakeup_s is not None
        _perform(hub, emulator._passage.on_tick(wakeup_s))
    _perform(hub, emulator.quiesce())


def _perform(hub: MemoryHub, actions: list[Action]) -> None:
    for action in actions:
        if isinstance(action, Send):
            hub.send(action.to, action.message, action.header_errors)
        elif isinstance(action, Drop):
            hub.drop(action.to, action.message, action.reason)
        elif isinstance(action, Copied):
            hub.copied(action.source, action.message, action.times)
        elif isinstance(action, Disconnect):
            hub.disconnect(action.to)


@pytest.mark.parametrize("harms", [[], [*HARMS], *([name] for name in HARMS)], ids="+".join)
def test_every_frame_is_handed_on_or_dropped_with_a_reason(tmp_path: Path, harms: list[str]) -> None:
    both = {"direction": "both", "classes": RELAYED}
    faults = [{"fault": "loss", "probability": 0.4, **both}]
    faults += [{"fault": name, **both, **HARMS[name]} for name in harms]
    emulator = ChannelEmulator(spec(config(users=4, model="rayleigh", faults=faults)))
    with Counters(tmp_path / "ce.bin") as counters:
        hub = MemoryHub(counters)
        station = MemoryPeer(hub, "bs", 0)
        users = [MemoryPeer(hub, f"ue:{u}", 0) for u in range(3)]  # user 3 never comes
        station.send("ce", hello())
        for user, peer in enumerate(users):
            peer.send("ce", hello(user))
        down: list[Message] = [
            f
            for i in range(30)
            for f in (
                frame(users=(0, 1, 3), frame_id=i, samples=qpsk(40), pilot_uses=8),
                frame(users=(i % 4,), frame_id=100 + i),
                side_info(i % 4, f"r{i:06d}"),
                cancel(i % 4, f"r{i:06d}"),
            )
        ]
        down.append(frame(users=(0, 1), payload=np.full(64, np.nan, np.complex64).tobytes()))
        for message in down:
            station.send("ce", message)
        for i in range(30):
            users[i % 3].send("ce", feedback(i % 3, f"r{i:06d}"))
            users[i % 3].send("ce", answer(i % 3, attempt=i))
        _exchange(hub, emulator)
        rows = counters.rows()
    balance: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    for key, values in rows:
        if key.klass not in RELAYED:
            continue
        taken_in = key.outcome in ("delivered", "duplicated")
        balance[key.direction, key.klass] += values.frames if taken_in else -values.frames
        reasons[key.reason] += values.frames
    assert set(balance) == {("down", k) for k in RELAYED[:4]} | {("up", "feedback")}
    assert set(balance.values()) == {0}
    unknown = [(key.direction, key.outcome, values.frames) for key, values in rows if key.klass == "unknown"]
    assert {(way, outcome) for way, outcome, _ in unknown} == (
        {("down", "offered"), ("up", "offered")} if "corrupt_header" in harms else set()
    )
    assert sum(frames for _, _, frames in unknown) == reasons["corrupt_header"]
    others = {*harms, "stopped", "too_much_held"} if harms else set()
    assert {"", "loss", "not_attached", "bad_samples"} <= set(reasons) <= {
        "", "loss", "not_attached", "bad_samples", *others,
    }  # fmt: skip
    # 30 public frames for user 3, and every fourth of 30 private frames, maps and cancels.
    assert reasons["not_attached"] == 30 + 3 * 7
    assert reasons["bad_samples"] == 2
    offered = sum(v.frames for k, v in rows if k.outcome == "offered" and k.klass in RELAYED)
    arrived = 0
    for peer in (station, *users):
        while (found := peer.receive_nowait()) is not None:
            arrived += found[1].KIND in ("symbol_frame", "side_info", "cancel", "feedback", "answer")
    assert arrived == offered > 0
