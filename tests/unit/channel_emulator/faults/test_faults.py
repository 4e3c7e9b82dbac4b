"""Faults: rates, aim, determinism, independence of other users and of order."""

import math
from typing import Any

import pytest
from pydantic import TypeAdapter

from channel_emulator.faults import chain
from channel_emulator.faults.chain import FaultChain, identity
from channel_emulator.faults.registry import FAULTS
from shared.fault_config import FAULT_CONFIGS, FaultConfig
from shared.wire.messages import Heartbeat, Message
from tests.unit.channel_emulator.support import (
    answer,
    answer_ack,
    cancel,
    feedback,
    frame,
    heartbeat,
    side_info,
)

EVERYTHING = ("public", "private", "side", "control", "feedback")


def made(**values: Any) -> FaultConfig:
    return TypeAdapter(FaultConfig).validate_python({"direction": "both", "classes": EVERYTHING} | values)


def begun(faults: tuple[FaultConfig, ...], seed: int) -> FaultChain:
    """The first message has passed, at time zero."""
    chain = FaultChain(faults, seed)
    chain.begin(0.0)
    chain.changes(0.0)
    return chain


def _loss(probability: float = 0.5, **changes: Any) -> FaultConfig:
    return made(fault="loss", probability=probability, **changes)


def _frames(n: int) -> list[Message]:
    return [frame(frame_id=i) for i in range(n)]


def _lost(faults: FaultChain, messages: list[Message], user: int = 0, direction: str = "down") -> list[bool]:
    return [bool(faults.fate(m, user, direction).lost) for m in messages]


def test_every_fault_of_the_configuration_exists_and_the_other_way_round() -> None:
    assert FAULTS.keys() == FAULT_CONFIGS.keys()


def test_noop_does_nothing() -> None:
    faults = begun((made(fault="noop"),), 1)
    assert not any(_lost(faults, _frames(100)))
    assert faults.strikes == {"noop.0": 0}


@pytest.mark.parametrize("probability", [0.01, 0.3, 0.9])
def test_loss_has_its_rate(probability: float) -> None:
    n = 8_000
    lost = sum(_lost(begun((_loss(probability),), 1), _frames(n)))
    assert abs(lost - n * probability) < 5 * math.sqrt(n * probability * (1 - probability))


def test_never_and_always() -> None:
    assert not any(_lost(begun((_loss(0.0),), 1), _frames(200)))
    faults = begun((_loss(1.0),), 1)
    assert all(_lost(faults, _frames(200)))
    assert faults.strikes == {"loss.0": 200}
    assert faults.fate(frame(), 0, "down").lost == "loss"


def test_the_same_seed_loses_the_same_and_another_seed_others() -> None:
    messages = _frames(200)
    first = _lost(begun((_loss(),), 1), messages)
    assert _lost(begun((_loss(),), 1), messages) == first
    assert _lost(begun((_loss(),), 2), messages) != first


def test_order_and_other_users_change_nothing() -> None:
    messages = _frames(100)
    alone = _lost(begun((_loss(),), 1), messages, user=3)
    backwards = _lost(begun((_loss(),), 1), messages[::-1], user=3)[::-1]
    crowded = begun((_loss(),), 1)
    among = []
    for message in messages:
        for user in (0, 1, 2):
            crowded.fate(message, user, "down")
            crowded.fate(message, user, "up")
        among.append(bool(crowded.fate(message, 3, "down").lost))
    assert alone == backwards == among


def test_users_directions_and_attempts_have_their_own_fates() -> None:
    # Two independent fair coins agree 200 times with probability 2^-200.
    messages = _frames(200)
    fates = [_lost(begun((_loss(),), 1), messages, user, way) for user in (0, 1) for way in ("up", "down")]
    fates.append(_lost(begun((_loss(),), 1), [frame(frame_id=i, attempt=1) for i in range(200)]))
    assert len({tuple(f) for f in fates}) == 5


def test_each_repeat_of_the_very_same_message_has_its_own_fate() -> None:
    # An acknowledgement that is repeated word for word must get through some time.
    faults = begun((_loss(),), 1)
    fates = _lost(faults, [answer_ack()] * 400)
    assert abs(sum(fates) - 200) < 5 * 10
    assert _lost(begun((_loss(),), 1), [answer_ack()] * 400) == fates


def test_memory_of_repeats_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "MAX_REMEMBERED", 3)
    faults = begun((_loss(),), 1)
    _lost(faults, _frames(10))
    assert len(faults._seen[0, "down"]) == 3
    assert faults._repeats(0, "down", identity(frame(frame_id=9))) == 1
    assert faults._repeats(0, "down", identity(frame(frame_id=0))) == 0


ALL: dict[str, Message] = {
    "public": frame(users=(0, 1)), "private": frame(), "side": side_info(), "feedback": answer(),
    "control": cancel(),
}  # fmt: skip


@pytest.mark.parametrize("klass", list(ALL))
def test_only_the_named_classes_are_met(klass: str) -> None:
    faults = begun((_loss(1.0, classes=(klass,)),), 1)
    assert [k for k, m in ALL.items() if faults.fate(m, 0, "down").lost] == [klass]


def test_feedback_and_acknowledgements_have_their_classes() -> None:
    faults = begun((_loss(1.0, classes=("feedback",)),), 1)
    assert faults.fate(feedback(), 0, "up").lost
    assert not faults.fate(answer_ack(), 0, "down").lost


def test_only_the_named_direction_and_users_are_met() -> None:
    faults = begun((_loss(1.0, direction="down", users=(1,)),), 1)
    met = [(u, way) for u in (0, 1) for way in ("down", "up") if faults.fate(frame(), u, way).lost]
    assert met == [(1, "down")]


def test_session_messages_are_never_harmed() -> None:
    faults = begun((_loss(1.0),), 1)
    message: Heartbeat = heartbeat()
    assert not faults.fate(message, 0, "down").lost


def test_two_losses_are_independent_and_a_fault_of_another_name_changes_neither() -> None:
    n, messages = 4_000, _frames(4_000)
    both = _lost(begun((_loss(), _loss()), 1), messages)
    assert abs(sum(both) - 0.75 * n) < 5 * math.sqrt(n * 0.1875)
    with_noop = begun((_loss(), made(fault="noop"), _loss()), 1)
    assert _lost(with_noop, messages) == both
    assert set(with_noop.strikes) == {"loss.0", "noop.0", "loss.1"}
