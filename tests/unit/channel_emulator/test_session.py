"""The session machine with a clock of its own."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_emulator.session import Session
from shared.actions import Action, Disconnect, Drop, Record, Send
from shared.wire.messages import Bye, Heartbeat, Message, PeerState, Refused, Welcome
from tests.unit.channel_emulator.support import config, feedback, heartbeat, hello


def _sent(actions: Iterable[Action], kind: type[Message]) -> list[tuple[str, Any]]:
    return [(a.to, a.message) for a in actions if isinstance(a, Send) and isinstance(a.message, kind)]


def _states(actions: Iterable[Action]) -> list[tuple[int, int, str]]:
    return [(m.user, m.incarnation, m.state) for to, m in _sent(actions, PeerState) if to == "bs"]


def _refusals(actions: Iterable[Action]) -> list[tuple[str, str, int | None]]:
    return [(to, m.code, m.incarnation) for to, m in _sent(actions, Refused)]


def _journal(actions: Iterable[Action]) -> list[tuple[str, str]]:
    return [(a.fields["what"], a.fields["peer"]) for a in actions if isinstance(a, Record)]


@pytest.fixture
def session() -> Session:
    """The base station and user 0 attached at time 0."""
    session = Session(config(snr_db=(3.0, 5.0, 7.0, 9.0), model="rayleigh"))
    session.on_hello("bs", hello(), 0.0)
    session.on_hello("ue:0", hello(0), 0.0)
    return session


def test_peers_are_welcomed_and_told_their_air() -> None:
    session = Session(config(snr_db=(3.0, 5.0, 7.0, 9.0), model="rayleigh"))
    ((to, welcome),) = _sent(session.on_hello("bs", hello(), 0.0), Welcome)
    assert (to, welcome.user, welcome.snr_db) == ("bs", -1, 6.0)
    actions = session.on_hello("ue:1", hello(1, incarnation=4), 0.0)
    ((to, welcome),) = _sent(actions, Welcome)
    assert (to, welcome.user, welcome.incarnation) == ("ue:1", 1, 4)
    assert welcome.snr_db == 5.0
    assert welcome.credit_bytes == config().limits.credit_bytes
    assert _states(actions) == [(1, 4, "attached")]
    assert _sent(actions, PeerState)[0][1].snr_db == 5.0
    assert _journal(actions) == [("attached", "ue:1")]
    assert session.attached_users() == [1]


def test_users_wait_for_the_base_station_and_come_in_order() -> None:
    session = Session(config())
    for user in (2, 0, 1):
        assert session.on_hello(f"ue:{user}", hello(user, fingerprint="f" if user else "other"), 0.0) == []
    assert session.held_users() == [0, 1, 2]
    assert session.absence("ue:2") == "not_attached"
    actions = session.on_hello("bs", hello(), 1.0)
    assert [to for to, _ in _sent(actions, Welcome)] == ["bs", "ue:1", "ue:2"]
    assert _refusals(actions) == [("ue:0", "fingerprint", 0)]
    assert _states(actions) == [(1, 0, "attached"), (2, 0, "attached")]
    assert session.held_users() == []


def test_a_waiting_user_is_superseded_by_its_next_incarnation() -> None:
    session = Session(config())
    session.on_hello("ue:0", hello(0, incarnation=1), 0.0)
    session.on_hello("ue:0", hello(0, incarnation=2), 0.0)
    assert _refusals(session.on_hello("ue:0", hello(0, incarnation=1), 0.0)) == [("ue:0", "fenced", 1)]
    assert _states(session.on_hello("bs", hello(), 1.0)) == [(0, 2, "attached")]


def test_other_weights_are_refused(session: Session) -> None:
    actions = session.on_hello("ue:1", hello(1, fingerprint="x" * 64), 0.0)
    assert _refusals(actions) == [("ue:1", "fingerprint", 0)]
    assert "weights differ" in _sent(actions, Refused)[0][1].detail
    assert not session.attached("ue:1")


@pytest.mark.parametrize("user", [-1, 1])
def test_another_protocol_version_is_refused(session: Session, user: int) -> None:
    source = "bs" if user < 0 else "ue:1"
    actions = session.on_hello(source, hello(user, incarnation=9, protocol=77), 0.0)
    assert _refusals(actions) == [(source, "version", 9)]
    assert "received 77" in _sent(actions, Refused)[0][1].detail
    assert session.attached("bs")


def test_a_user_the_run_does_not_have_is_refused(session: Session) -> None:
    assert _refusals(session.on_hello("ue:4", hello(4), 0.0)) == [("ue:4", "unknown_user", 0)]
    assert session.absence("ue:4") == "not_attached"


def test_nobody_introduces_himself_as_another(session: Session) -> None:
    for source, message in (("ue:1", hello(2)), ("ue:1", hello(-1)), ("bs", hello(1))):
        assert session.on_hello(source, message, 0.0) == [Drop(source, message, "wrong_user")]


def test_a_newer_incarnation_takes_over_and_fences_the_older(session: Session) -> None:
    actions = session.on_hello("ue:0", hello(0, incarnation=1), 1.0)
    assert _states(actions) == [(0, 0, "detached"), (0, 1, "attached")]
    # The hub forgets the older one's queue before the newer one's welcome is queued.
    kinds = [type(a).__name__ for a in actions]
    assert actions[kinds.index("Disconnect")] == Disconnect("ue:0")
    assert kinds.index("Disconnect") < actions.index(Send(*_sent(actions, Welcome)[0]))
    reason, actions = session.on_sign_of_life("ue:0", heartbeat(0, incarnation=0), 2.0)
    assert reason == "fenced"
    assert _refusals(actions) == [("ue:0", "fenced", 0)]
    assert _refusals(session.on_hello("ue:0", hello(0, incarnation=0), 2.0)) == [("ue:0", "fenced", 0)]
    assert session.attached("ue:0")
    assert session.on_sign_of_life("ue:0", heartbeat(0, incarnation=1), 2.0) == ("", [])


def test_a_fenced_peer_keeps_nobody_alive(session: Session) -> None:
    session.on_hello("ue:0", hello(0, incarnation=1), 0.0)
    for t in range(1, 7):
        session.on_sign_of_life("ue:0", heartbeat(0, incarnation=0), float(t))
        session.on_sign_of_life("bs", heartbeat(), float(t))
    assert _states(session.on_tick(6.0)) == [(0, 1, "detached")]


def test_an_unknown_incarnation_must_say_hello_first(session: Session) -> None:
    assert session.on_sign_of_life("ue:0", heartbeat(0, incarnation=7), 0.0) == ("sender_not_attached", [])
    reason, (told,) = session.on_sign_of_life("ue:3", heartbeat(3), 0.0)
    assert reason == "sender_not_attached"
    assert isinstance(told, Send)
    assert isinstance(told.message, Refused)
    assert (told.to, told.message.incarnation, told.message.code) == ("ue:3", 0, "not_attached")
    assert session.on_sign_of_life("ue:3", feedback(3), 0.0) == ("sender_not_attached", [])


def test_a_repeated_hello_gets_the_welcome_again_and_no_more(session: Session) -> None:
    actions = session.on_hello("ue:0", hello(0), 0.1)
    assert [type(a.message) for a in actions if isinstance(a, Send)] == [Welcome]
    assert len(actions) == 1


def test_a_hello_after_a_loss_starts_anew(session: Session) -> None:
    session.on_sign_of_life("ue:0", heartbeat(0), 1.0)
    actions = session.on_hello("ue:0", hello(0), 2.0)
    assert Disconnect("ue:0") in actions
    assert _states(actions) == [(0, 0, "detached"), (0, 0, "attached")]


def test_heartbeats_come_at_their_interval_to_all_who_are_attached(session: Session) -> None:
    assert session.next_wakeup_s(0.0) == 0.5
    assert session.on_tick(0.4) == []
    beats = _sent(session.on_tick(0.5), Heartbeat)
    assert [(to, b.user, b.sequence) for to, b in beats] == [("bs", -1, 1), ("ue:0", 0, 1)]
    assert session.next_wakeup_s(0.5) == 1.0
    assert [b.sequence for _, b in _sent(session.on_tick(1.0), Heartbeat)] == [2, 2]


def test_silence_is_noticed_at_its_limit(session: Session) -> None:
    session.on_sign_of_life("bs", heartbeat(), 4.0)
    assert _states(session.on_tick(4.999)) == []
    assert session.next_wakeup_s(4.999) == 5.0
    actions = session.on_tick(5.0)
    assert _states(actions) == [(0, 0, "detached")]
    assert Disconnect("ue:0") in actions
    assert ("detached", "ue:0") in _journal(actions)
    assert session.absence("ue:0") == "peer_gone"
    assert session.on_sign_of_life("ue:0", heartbeat(0), 5.1) == ("sender_gone", [])
    # It may come back with a hello, in the same incarnation.
    assert _states(session.on_hello("ue:0", hello(0), 5.2)) == [(0, 0, "attached")]


def test_any_message_is_a_sign_of_life(session: Session) -> None:
    for t in range(1, 20):
        assert session.on_sign_of_life("ue:0", heartbeat(0), float(t)) == ("", [])
        session.on_sign_of_life("bs", heartbeat(), float(t))
        assert _states(session.on_tick(float(t))) == []
    assert session.attached("ue:0")


def test_the_base_station_may_die_and_come_back(session: Session) -> None:
    session.on_sign_of_life("ue:0", heartbeat(0), 4.0)
    actions = session.on_tick(5.0)
    assert ("detached", "bs") in _journal(actions)
    assert _sent(actions, PeerState) == []
    assert session.absence("bs") == "peer_gone"
    # Users still come, by the fingerprint that is known; nobody is told for now.
    actions = session.on_hello("ue:1", hello(1), 5.0)
    assert [to for to, _ in _sent(actions, Welcome)] == ["ue:1"]
    assert _sent(actions, PeerState) == []
    actions = session.on_hello("bs", hello(incarnation=1), 5.5)
    assert _states(actions) == [(0, 0, "attached"), (1, 0, "attached")]


def test_a_base_station_with_other_weights_parts_from_its_users(session: Session) -> None:
    actions = session.on_hello("bs", hello(incarnation=1, fingerprint="new"), 1.0)
    assert _refusals(actions) == [("ue:0", "fingerprint", 0)]
    assert _states(actions) == [(0, 0, "detached")]
    # The refusal is queued after the old queue has been forgotten, or it would be forgotten too.
    assert actions.index(Disconnect("ue:0")) < actions.index(Send(*_sent(actions, Refused)[0]))


def test_goodbye(session: Session) -> None:
    actions = session.on_bye("ue:0")
    assert _states(actions) == [(0, 0, "detached")]
    assert actions[-1] == Send("ue:0", Bye(user=0, incarnation=0))
    assert session.absence("ue:0") == "peer_gone"
    assert session.on_bye("ue:0") == []


def test_quiesced_it_neither_beats_nor_judges(session: Session) -> None:
    session.quiesce()
    assert session.next_wakeup_s(0.0) is None
    assert session.on_tick(100.0) == []
    assert session.attached("ue:0")


def test_before_anybody_comes_there_is_nothing_to_wake_up_for() -> None:
    session = Session(config())
    assert session.next_wakeup_s(0.0) is None
    assert session.on_tick(1.0) == []


_PEERS = st.sampled_from(["bs", "ue:0", "ue:1"])
_EVENTS = st.one_of(
    st.tuples(st.just("hello"), _PEERS, st.integers(0, 3), st.sampled_from(["f", "g"])),
    st.tuples(st.just("beat"), _PEERS, st.integers(0, 3), st.just("")),
    st.tuples(st.just("bye"), _PEERS, st.integers(0, 3), st.just("")),
    st.tuples(st.just("tick"), _PEERS, st.integers(0, 3), st.just("")),
)


@given(st.lists(st.tuples(_EVENTS, st.floats(0.0, 3.0)), max_size=40))
def test_whatever_happens_the_base_stations_picture_is_true(events: list[Any]) -> None:
    """Following PeerState alone, an attached base station knows exactly who is attached; incarnations of the
    attached never go back."""
    session, now_s = Session(config(users=2)), 0.0
    picture: dict[int, int] = {}
    newest: dict[str, int] = {}
    for (what, source, incarnation, fingerprint), gap_s in events:
        now_s += gap_s
        user = -1 if source == "bs" else int(source[3:])
        if what == "hello":
            actions = session.on_hello(source, hello(user, incarnation, fingerprint), now_s)
        elif what == "beat":
            _, actions = session.on_sign_of_life(source, heartbeat(user, incarnation), now_s)
        elif what == "bye":
            actions = session.on_bye(source)
        else:
            actions = session.on_tick(now_s)
        for action in actions:
            if not isinstance(action, Send):
                continue
            message = action.message
            if isinstance(message, Welcome):
                assert message.incarnation >= newest.get(action.to, 0)
                newest[action.to] = message.incarnation
                if action.to == "bs":
                    picture = {}
            elif isinstance(message, PeerState) and message.state == "attached":
                picture[message.user] = message.incarnation
            elif isinstance(message, PeerState):
                assert picture.pop(message.user, message.incarnation) == message.incarnation
        if session.attached("bs"):
            assert sorted(picture) == session.attached_users()
