"""A peer's session: hello until welcome, heartbeats, loss, and the three ways it ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.actions import Action, Exit, Record, Send, Tell
from shared.config import RunConfig
from shared.liveness import EXIT_FENCED, EXIT_NO_EMULATOR, EXIT_REFUSED, PeerSession
from shared.spec import RoleSpec
from shared.wire.messages import Heartbeat, Hello, Message, Ready, Refused, RoleFailed, Welcome

SPEC = RoleSpec("run", "ue", 3, 2, RunConfig(), Path(), "", "", "here")
WELCOME = Welcome(
    user=3,
    incarnation=2,
    snr_db=10.0,
    credit_bytes=1_000_000,
)


def session() -> PeerSession:
    return PeerSession(SPEC, "print", 77)


def sent(actions: list[Action]) -> list[Message]:
    return [a.message for a in actions if isinstance(a, Send)]


def told(actions: list[Action]) -> list[Message]:
    return [a.message for a in actions if isinstance(a, Tell)]


def test_hello_is_repeated_until_welcome_and_ready_is_told_once() -> None:
    s = session()
    assert s.next_wakeup_s(10.0) == 10.0
    (hello,) = sent(s.on_tick(10.0))
    assert isinstance(hello, Hello)
    assert (hello.role, hello.user, hello.incarnation, hello.fingerprint) == ("ue", 3, 2, "print")
    assert s.next_wakeup_s(10.0) == 10.5
    assert sent(s.on_tick(10.4)) == []
    assert sent(s.on_tick(10.5)) == [hello]
    (ready,) = told(s.on_message(WELCOME, 10.6))
    assert isinstance(ready, Ready)
    assert (ready.pid, ready.incarnation) == (77, 2)
    assert s.attached
    assert s.on_message(WELCOME, 10.7) == []
    (beat,) = sent(s.on_tick(11.1))
    assert beat == Heartbeat(user=3, incarnation=2, sequence=1)


def test_a_silent_emulator_is_lost_and_sought_again_as_the_same_incarnation() -> None:
    s = session()
    s.on_tick(0.0)
    s.on_message(WELCOME, 0.1)
    s.on_tick(4.9)
    assert s.next_wakeup_s(4.9) == pytest.approx(5.1)
    actions = s.on_tick(5.2)
    assert not s.attached
    assert isinstance(sent(actions)[0], Hello)
    again = s.on_message(WELCOME, 6.0)
    assert told(again) == []
    assert s.epoch == 2


def test_an_emulator_that_has_just_begun_is_told_hello_at_once() -> None:
    stranger = Refused(user=3, incarnation=2, code="not_attached", detail="")
    s = session()
    s.on_tick(0.0)
    assert s.on_message(stranger, 0.05) == [], "a Hello is under way"
    s.on_message(WELCOME, 0.1)
    s.on_message(replace(stranger, incarnation=1), 0.2)
    assert s.attached
    s.on_message(stranger, 0.3)
    assert not s.attached
    assert s.next_wakeup_s(0.3) == 0.3
    assert isinstance(sent(s.on_tick(0.3))[0], Hello)
    s.on_message(WELCOME, 0.4)
    assert s.epoch == 2


def test_any_message_of_the_emulator_is_a_sign_of_life() -> None:
    s = session()
    s.on_tick(0.0)
    s.on_message(WELCOME, 0.1)
    for i in range(1, 100):
        s.on_message(Heartbeat(user=3, incarnation=2, sequence=i), 0.1 + i)
        s.on_tick(0.2 + i)
    assert s.attached


def test_seeking_is_bounded() -> None:
    s = session()
    s.on_tick(0.0)
    assert not any(isinstance(a, Exit) for a in s.on_tick(59.9))
    actions = s.on_tick(60.0)
    assert actions[-1] == Exit(EXIT_NO_EMULATOR, "no channel emulator answered for 60 s")
    assert isinstance(told(actions)[0], RoleFailed)
    assert s.next_wakeup_s(60.0) is None
    assert s.on_tick(61.0) == []


@pytest.mark.parametrize("code", ["fingerprint", "version", "unknown_user"])
def test_a_refusal_ends_the_role_with_its_detail(code: str) -> None:
    s = session()
    s.on_tick(0.0)
    actions = s.on_message(Refused(user=3, incarnation=2, code=code, detail="weights differ"), 0.1)
    assert actions[-1] == Exit(EXIT_REFUSED, f"refused by the emulator: {code}: weights differ")
    (failed,) = told(actions)
    assert isinstance(failed, RoleFailed)
    assert failed.exit_code == EXIT_REFUSED


def test_a_fenced_incarnation_leaves_without_speaking_for_its_successor() -> None:
    s = session()
    s.on_message(WELCOME, 0.0)
    actions = s.on_message(Refused(user=3, incarnation=2, code="fenced", detail="replaced"), 1.0)
    assert isinstance(actions[-1], Exit)
    assert actions[-1].code == EXIT_FENCED
    assert told(actions) == []
    assert isinstance(actions[0], Record)
    assert actions[0].fields["what"] == "fenced"


def test_what_was_meant_for_another_incarnation_is_ignored() -> None:
    s = session()
    s.on_tick(0.0)
    assert s.on_message(replace(WELCOME, incarnation=1), 0.1) == []
    assert s.on_message(Refused(user=3, incarnation=1, code="fenced", detail=""), 0.2) == []
    assert not s.attached
    assert told(s.on_message(WELCOME, 0.3))


def test_quiesced_it_says_nothing_and_misses_nobody() -> None:
    s = session()
    s.on_message(WELCOME, 0.0)
    s.quiesce()
    assert s.next_wakeup_s(0.0) is None
    assert s.on_tick(100.0) == []
    assert s.attached
