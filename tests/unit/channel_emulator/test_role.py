"""The emulator as a whole: where every message goes, and that nothing makes it stumble."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_emulator.faults.memory import FaultMemory
from channel_emulator.role import ChannelEmulator
from shared.actions import Action, Drop, Record, Send, Tell
from shared.wire.messages import (
    Bye,
    Command,
    Credit,
    Done,
    Inject,
    Message,
    PeerState,
    Progress,
    Refused,
    SymbolFrame,
)
from tests.unit.channel_emulator.support import (
    answer,
    answer_ack,
    cancel,
    config,
    feedback,
    frame,
    heartbeat,
    hello,
    side_info,
    spec,
)


def _emulator(attached: tuple[int, ...] = (0, 1, 2), **settings: Any) -> ChannelEmulator:
    emulator = ChannelEmulator(spec(config(**settings)), FaultMemory(zero_s=0.0))  # messages have passed
    emulator.on_message(hello(), 0.0, "bs")
    for user in attached:
        emulator.on_message(hello(user), 0.0, f"ue:{user}")
    return emulator


def _sends(actions: list[Action]) -> list[str]:
    return [a.to for a in actions if isinstance(a, Send)]


def _drops(actions: list[Action]) -> list[tuple[str, str]]:
    return [(a.to, a.reason) for a in actions if isinstance(a, Drop)]


def test_a_public_frame_becomes_one_realisation_for_each_receiver() -> None:
    actions = _emulator().on_message(frame(users=(0, 2)), 0.0, "bs")
    assert _sends(actions) == ["ue:0", "ue:2"]
    frames = [a.message for a in actions if isinstance(a, Send)]
    assert [f.users for f in frames if isinstance(f, SymbolFrame)] == [(0,), (2,)]
    assert len({bytes(f.payload) for f in frames if isinstance(f, SymbolFrame)}) == 2


def test_what_does_not_reach_a_receiver_is_a_drop_for_that_one() -> None:
    emulator = _emulator()
    emulator.on_message(heartbeat(1), 0.0, "ue:1")
    emulator.on_message(hello(1), 0.0, "ue:1")
    goodbye = Bye(user=1, incarnation=0)
    emulator.on_message(goodbye, 0.0, "ue:1")
    actions = emulator.on_message(frame(users=(0, 1, 3, 9, 2, 2)), 0.0, "bs")
    assert _sends(actions) == ["ue:0", "ue:2"]
    assert _drops(actions) == [
        ("ue:1", "peer_gone"),
        ("ue:3", "not_attached"),
        ("ue:9", "unknown_user"),
        ("ue:2", "duplicate_receiver"),
    ]
    # Each drop carries the message as addressed to that receiver alone, for the ledger.
    users = [a.message.users for a in actions if isinstance(a, Drop) and isinstance(a.message, SymbolFrame)]
    assert users == [(1,), (3,), (9,), (2,)]


@pytest.mark.parametrize("message", [side_info(1), cancel(1), answer_ack(1)])
def test_side_information_and_control_go_to_their_user_unchanged(message: Message) -> None:
    assert _emulator().on_message(message, 0.0, "bs") == [Send("ue:1", message)]
    assert _drops(_emulator(attached=(0,)).on_message(message, 0.0, "bs")) == [("ue:1", "not_attached")]


@pytest.mark.parametrize("message", [feedback(1), answer(1)])
def test_uplink_goes_to_the_base_station(message: Message) -> None:
    emulator = _emulator()
    assert emulator.on_message(message, 0.0, "ue:1") == [Send("bs", message)]
    assert _drops(emulator.on_message(message, 0.0, "ue:0")) == [("bs", "wrong_user")]
    assert _drops(emulator.on_message(message, 0.0, "ue:3")) == [("bs", "sender_not_attached")]
    emulator.on_message(Bye(user=-1, incarnation=0), 0.0, "bs")
    assert _drops(emulator.on_message(message, 0.0, "ue:1")) == [("bs", "peer_gone")]


def test_an_older_incarnations_answer_is_fenced() -> None:
    emulator = _emulator()
    emulator.on_message(hello(1, incarnation=2), 0.0, "ue:1")
    actions = emulator.on_message(answer(1, incarnation=0), 0.0, "ue:1")
    assert [a.message.code for a in actions if isinstance(a, Send) and isinstance(a.message, Refused)] == [
        "fenced"
    ]
    assert _drops(actions) == [("bs", "fenced")]


def test_a_base_station_that_has_not_introduced_itself_reaches_nobody() -> None:
    emulator = ChannelEmulator(spec(config()))
    assert _drops(emulator.on_message(frame(users=(0, 1)), 0.0, "bs")) == [
        ("ue:0", "sender_not_attached"),
        ("ue:1", "sender_not_attached"),
    ]
    assert _drops(emulator.on_message(cancel(2), 0.0, "bs")) == [("ue:2", "sender_not_attached")]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_damaged_samples_are_dropped_for_every_receiver(value: float) -> None:
    damaged = frame(users=(0, 1), payload=np.full(64, value, np.complex64).tobytes())
    assert _drops(_emulator().on_message(damaged, 0.0, "bs")) == [
        ("ue:0", "bad_samples"),
        ("ue:1", "bad_samples"),
    ]


def test_malformed_sets_of_receivers() -> None:
    emulator = _emulator()
    assert _drops(emulator.on_message(frame(users=()), 0.0, "bs")) == [("bs", "no_receiver")]
    assert _drops(emulator.on_message(frame(users=(-1,)), 0.0, "bs")) == [("bs", "unknown_user")]
    assert _drops(emulator.on_message(frame(users=(0, 1), stream="private"), 0.0, "bs")) == [
        ("ue:0", "bad_frame"),
        ("ue:1", "bad_frame"),
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ue:0", frame()),
        ("ue:0", side_info()),
        ("bs", feedback()),
        ("bs", PeerState(user=0, incarnation=0, state="attached", snr_db=0.0)),
        ("ue:0", Command(verb="stop")),
    ],
)
def test_out_of_protocol_messages_are_dropped(source: str, message: Message) -> None:
    assert _drops(_emulator().on_message(message, 0.0, source)) == [(source, "out_of_protocol")]


@pytest.mark.parametrize("source", ["", "ce", "ue:", "ue:-1", "ue:x", "ue:1.5", "ue:９", "ue:123456", "bs "])
def test_unknown_sources_are_dropped(source: str) -> None:
    for message in (hello(), heartbeat(), frame()):
        assert _drops(_emulator().on_message(message, 0.0, source)) == [(source, "unknown_source")]


def test_session_messages_end_here() -> None:
    emulator = _emulator()
    assert emulator.on_message(heartbeat(0), 0.0, "ue:0") == []
    assert emulator.on_message(Credit(user=0, incarnation=0, consumed_bytes=5), 0.0, "ue:0") == []


def test_loss_strikes_each_receiver_of_a_public_frame_by_itself() -> None:
    fault = {"fault": "loss", "probability": 0.5, "users": [0, 1]}
    emulator = _emulator(faults=(fault,))
    patterns = set()
    for i in range(40):
        actions = emulator.on_message(frame(users=(0, 1, 2), frame_id=i), 0.0, "bs")
        assert len(_sends(actions)) + len(_drops(actions)) == 3
        assert "ue:2" in _sends(actions)
        assert all(reason == "loss" for _, reason in _drops(actions))
        patterns.add(tuple(_sends(actions)))
    assert len(patterns) == 4
    assert 20 < emulator.progress_values()["fault_loss.0"] < 60


def test_uplink_loss() -> None:
    fault = {"fault": "loss", "probability": 1.0, "direction": "up", "classes": ["feedback"]}
    emulator = _emulator(faults=(fault,))
    assert _drops(emulator.on_message(feedback(0), 0.0, "ue:0")) == [("bs", "loss")]
    assert _sends(emulator.on_message(frame(), 0.0, "bs")) == ["ue:0"]


def test_order_of_messages_changes_no_reception() -> None:
    settings: dict[str, Any] = {"model": "rayleigh", "faults": ({"fault": "loss", "probability": 0.3},)}
    messages = [frame(users=(0, 1), frame_id=i) for i in range(20)]

    def received(
        order: list[SymbolFrame], attached: tuple[int, ...], users: int
    ) -> dict[tuple[str, int], bytes]:
        emulator, result = _emulator(attached, users=users, **settings), {}
        for message in order:
            for action in emulator.on_message(message, 0.0, "bs"):
                if isinstance(action, Send) and isinstance(action.message, SymbolFrame):
                    result[action.to, action.message.frame_id] = bytes(action.message.payload)
        return result

    reference = received(messages, (0, 1), 2)
    assert received(messages[::-1], (0, 1), 2) == reference
    # A third user, listening to the same frames, changes nobody else's air.
    wider = [frame(users=(0, 1, 2), frame_id=i) for i in range(20)]
    third = received(wider, (0, 1, 2), 3)
    assert {k: v for k, v in third.items() if k[0] != "ue:2"} == reference


def test_drain_is_answered_at_once_with_the_counts() -> None:
    emulator = _emulator()
    emulator.on_message(frame(users=(0, 3)), 0.0, "bs")
    emulator.on_message(feedback(0), 0.0, "ue:0")
    record, told = emulator.on_control(Command(verb="drain"), 1.0)
    assert isinstance(record, Record)
    assert record.fields["what"] == "drained"
    assert isinstance(told, Tell)
    assert isinstance(told.message, Done)
    assert told.message.verb == "drain"
    expected = {
        "frames_down": 1,
        "messages_up": 1,
        "messages_down": 0,
        "dropped": 1,
        "channel_uses": 64,
        "attached": 3,
    }
    assert told.message.values == expected
    assert emulator.on_control(Command(verb="sample"), 1.0) == []


def test_drain_waits_for_what_faults_hold_back_and_says_how_often_they_struck() -> None:
    emulator = _emulator(faults=[{"fault": "delay", "delay_ms": 100.0}, {"fault": "noop"}])
    (begun,) = emulator.on_message(frame(users=(0, 1)), 0.0, "bs")
    assert isinstance(begun, Record)
    assert begun.fields == {"what": "begin", "fault": "delay.0", "strikes": 0}
    assert emulator.on_control(Command(verb="drain"), 0.05) == []
    wakeup_s = emulator.next_wakeup_s(0.05)
    assert wakeup_s is not None
    assert wakeup_s <= 0.1
    actions = emulator.on_tick(0.1)
    assert [a.to for a in actions if isinstance(a, Send) and isinstance(a.message, SymbolFrame)] == [
        "ue:0",
        "ue:1",
    ]
    *_, ended, drained = (a.fields for a in actions if isinstance(a, Record))
    assert ended == {"what": "end", "fault": "delay.0", "strikes": 2}
    assert drained["what"] == "drained"
    assert [a.message.verb for a in actions if isinstance(a, Tell) and isinstance(a.message, Done)] == [
        "drain"
    ]


def test_progress_and_heartbeats_by_the_clock_until_quiesced() -> None:
    emulator = _emulator()
    assert emulator.next_wakeup_s(0.0) == 0.0
    first = emulator.on_tick(0.0)
    assert [a.fields["what"] for a in first if isinstance(a, Record)] == ["ready"]
    assert [type(a.message) for a in first if isinstance(a, Tell)] == [Progress]
    assert emulator.next_wakeup_s(0.0) == 0.5
    assert emulator.on_tick(0.1) == []
    assert _sends(emulator.on_tick(0.5)) == ["bs", "ue:0", "ue:1", "ue:2"]
    emulator.quiesce()
    assert emulator.next_wakeup_s(0.5) is None
    assert emulator.on_tick(50.0) == []
    assert _sends(emulator.on_message(frame(), 50.0, "bs")) == ["ue:0"]


_ANYTHING: tuple[Message, ...] = (
    hello(),
    hello(0),
    hello(0, 1),
    hello(1, fingerprint="x"),
    heartbeat(0),
    heartbeat(1, 5),
    frame(),
    frame(users=(0, 1)),
    frame(uses=3),
    side_info(),
    cancel(9),
    feedback(),
    answer(1),
    Command(verb="stop"),
    Bye(user=0, incarnation=0),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["bs", "ue:0", "ue:1", "ue:7", "nobody"]),
            st.sampled_from(_ANYTHING),
            st.floats(0.0, 4.0),
        ),
        max_size=30,
    )
)
def test_no_sequence_of_messages_raises_and_every_receiver_is_accounted_for(events: list[Any]) -> None:
    emulator, now_s = ChannelEmulator(spec(config(users=2))), 0.0
    for source, message, gap_s in events:
        now_s += gap_s
        emulator.on_tick(now_s)
        actions = emulator.on_message(message, now_s, source)
        if isinstance(message, SymbolFrame) and source == "bs":
            outcomes = [
                a for a in actions if isinstance(a, Send | Drop) and isinstance(a.message, SymbolFrame)
            ]
            assert sorted(a.to for a in outcomes) == sorted(f"ue:{u}" for u in message.users)


def _done(actions: list[Action]) -> dict[str, Any]:
    (told,) = [a.message for a in actions if isinstance(a, Tell)]
    assert isinstance(told, Done)
    assert told.verb == "inject"
    return told.values


def _faults(actions: list[Action]) -> list[tuple[str, str]]:
    return [
        (a.fields["what"], a.fields["fault"]) for a in actions if isinstance(a, Record) and a.event == "fault"
    ]


def test_a_fault_can_be_injected_and_healed_while_all_goes_on() -> None:
    emulator = _emulator()
    assert _sends(emulator.on_message(frame(), 0.0, "bs")) == ["ue:0"]
    actions = emulator.on_control(Inject(fault='{"fault": "loss", "probability": 1.0, "users": [0]}'), 5.0)
    assert _done(actions) == {"fault": "loss.0"}
    (recorded,) = [a.fields for a in actions if isinstance(a, Record)]
    assert (recorded["what"], recorded["config"]["at_s"]) == ("inject", 5.0)
    actions = emulator.on_message(frame(frame_id=1), 5.0, "bs")
    assert _faults(actions) == [("begin", "loss.0")]
    assert _drops(actions) == [("ue:0", "loss")]
    actions = emulator.on_control(Inject(fault=""), 6.0)
    assert _done(actions) == {"ended": 1}
    assert _faults(actions) == [("strike", "loss.0"), ("end", "loss.0")]
    assert _sends(emulator.on_message(frame(frame_id=2), 6.0, "bs")) == ["ue:0"]


@pytest.mark.parametrize("fault", ["{", "[]", '{"fault": "melt"}', '{"fault": "loss", "probability": 2}'])
def test_what_is_no_fault_is_refused(fault: str) -> None:
    emulator = _emulator()
    actions = emulator.on_control(Inject(fault=fault), 5.0)
    assert list(_done(actions)) == ["refused"]
    assert _faults(actions) == []
    assert _sends(emulator.on_message(frame(), 5.0, "bs")) == ["ue:0"]


def test_a_restarted_emulator_says_nothing_of_a_first_message_again() -> None:
    emulator = ChannelEmulator(spec(config()), FaultMemory(zero_s=1.0))
    emulator.on_message(hello(), 2.0, "bs")
    emulator.on_message(hello(0), 2.0, "ue:0")
    events = [a.fields.get("what") for a in emulator.on_message(frame(), 2.0, "bs") if isinstance(a, Record)]
    assert "first_message" not in events
