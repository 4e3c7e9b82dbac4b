"""Messages that come later, several times or not at all: none is held for ever, each is accounted for."""

from collections import Counter

import pytest

from channel_emulator import passage as module
from channel_emulator.faults.fault import UNHARMED, Fate
from channel_emulator.passage import Passage
from channel_emulator.session import BS, Session
from shared.actions import Copied, Drop, Send
from shared.wire.damage import HeaderErrors
from tests.unit.channel_emulator.support import config, feedback, frame, hello

UE = "ue:0"


@pytest.fixture
def passage() -> Passage:
    session = Session(config(users=1))
    session.on_hello(BS, hello(), 0.0)
    session.on_hello(UE, hello(0), 0.0)
    return Passage(session, Counter())


def test_what_is_unharmed_goes_at_once(passage: Passage) -> None:
    sent = frame()
    assert passage.hand_on(sent, UE, BS, UNHARMED, 1.0) == [Send(UE, sent)]
    assert passage.next_wakeup_s() is None


def test_delayed_messages_go_when_they_are_due_in_the_order_of_their_times(passage: Passage) -> None:
    late, early, early_too = frame(frame_id=1), frame(frame_id=2), frame(frame_id=3)
    for message, delay_s in ((late, 0.2), (early, 0.1), (early_too, 0.1)):
        assert passage.hand_on(message, UE, BS, Fate(delay_s=delay_s), 1.0) == []
    assert passage.next_wakeup_s() == pytest.approx(1.1)
    assert passage.on_tick(1.0) == []
    assert passage.on_tick(1.15) == [Send(UE, early), Send(UE, early_too)]
    assert passage.on_tick(9.0) == [Send(UE, late)]
    assert not len(passage)


def test_copies_are_counted_and_each_goes_its_way(passage: Passage) -> None:
    said = feedback(0)
    assert passage.hand_on(said, BS, UE, Fate(copies=2), 0.0) == [Copied(UE, said, 2), *[Send(BS, said)] * 3]
    assert passage.hand_on(said, BS, UE, Fate(copies=1, delay_s=0.1), 0.0) == [Copied(UE, said, 1)]
    assert passage.on_tick(0.1) == [Send(BS, said)] * 2


def test_damage_is_done_before_copies(passage: Passage) -> None:
    whole, broken = frame(frame_id=1), frame(frame_id=2)
    actions = passage.hand_on(whole, UE, BS, Fate(copies=1, damage=lambda message: broken), 0.0)
    assert actions == [Copied(BS, broken, 1), Send(UE, broken), Send(UE, broken)]


def test_who_has_left_in_the_meantime_gets_nothing(passage: Passage) -> None:
    sent = frame()
    passage.hand_on(sent, UE, BS, Fate(delay_s=1.0), 0.0)
    passage._session.on_bye(UE)
    (action,) = passage.on_tick(1.0)
    assert isinstance(action, Drop)
    assert action.reason == "peer_gone"


@pytest.mark.parametrize("bound", ["MAX_HELD", "MAX_HELD_BYTES"])
def test_what_is_held_is_bounded(passage: Passage, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = frame()
    monkeypatch.setattr(module, bound, 3 if bound == "MAX_HELD" else 3 * len(bytes(sent.payload)) + 1)
    actions = [a for _ in range(5) for a in passage.hand_on(sent, UE, BS, Fate(delay_s=1.0), 0.0)]
    assert actions == [Drop(UE, sent, "too_much_held")] * 2
    assert len(passage.on_tick(1.0)) == 3
    assert passage.hand_on(sent, UE, BS, Fate(delay_s=1.0), 2.0) == []


def test_a_silent_emulator_holds_nothing(passage: Passage) -> None:
    sent = frame()
    passage.hand_on(sent, UE, BS, Fate(delay_s=1.0), 0.0)
    assert passage.give_up() == [Drop(UE, sent, "stopped")]
    assert passage.next_wakeup_s() is None


def test_header_errors_stay_with_a_message_that_is_held_and_with_its_copies(passage: Passage) -> None:
    sent, errors = frame(), HeaderErrors(3, 5)
    actions = passage.hand_on(sent, UE, BS, Fate(copies=1, header=errors), 0.0)
    assert actions == [Copied(BS, sent, 1), Send(UE, sent, errors), Send(UE, sent, errors)]
    passage.hand_on(sent, UE, BS, Fate(delay_s=0.1, header=errors), 0.0)
    assert passage.on_tick(0.1) == [Send(UE, sent, errors)]
