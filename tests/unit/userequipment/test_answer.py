"""Answers are repeated until acknowledged, within bounds, and remembered for polls."""

from shared.config import RetransmissionConfig
from shared.wire.messages import Answer, SideInfo
from userequipment.answer import AnswerBook


def answer(name: str = "r0") -> Answer:
    return Answer(
        user=0, incarnation=0, request_id=name, attempt=0, status="ok", reason="", text="two", token_ids=(1,),
        control_text=None, erased_tokens=0, digest="", stage_ms={},
    )  # fmt: skip


def poll(name: str = "r0", attempt: int = 1, group: int = 7) -> SideInfo:
    return SideInfo(
        user=0, request_id=name, group_id=group, attempt=attempt, first_use=0, uses=0, energy=0.0,
        deadline_ms=0, frames=(), payload=b"",
    )  # fmt: skip


def book(max_remembered: int = 10) -> AnswerBook:
    return AnswerBook(RetransmissionConfig(max_attempts=2, feedback_timeout_ms=1_000), max_remembered)


def test_repeated_until_the_bound() -> None:
    b = book()
    sends = b.add(answer(), 7, 0.0)
    while (wake := b.next_wakeup_s()) is not None:
        sends += b.on_tick(wake)
    assert [a.attempt for a in sends] == [0, 1, 2, 3]
    assert b.unacknowledged() == 0
    assert [a.attempt for a in b.polled(poll(), 9.0)] == [4], "a poll is answered all the same"


def test_an_acknowledgement_ends_it_and_counts_once() -> None:
    b = book()
    b.add(answer(), 7, 0.0)
    assert b.acknowledge("r0") == answer()
    assert b.acknowledge("r0") is None
    assert b.next_wakeup_s() is None
    assert b.acknowledge("never heard of") is None


def test_a_new_attachment_says_again_what_was_not_acknowledged() -> None:
    b = book()
    b.add(answer("r0"), 7, 0.0)
    b.add(answer("r1"), 7, 0.0)
    b.acknowledge("r0")
    assert [a.request_id for a in b.attached_anew(5.0)] == ["r1"]
    assert b.unacknowledged() == 1


def test_a_cancelled_request_is_remembered_and_never_answered() -> None:
    b = book()
    b.cancel("r0")
    assert "r0" in b
    assert b.polled(poll(), 0.0) == []
    b.add(answer("r1"), 7, 0.0)
    b.cancel("r1")
    assert b.next_wakeup_s() is None


def test_memory_is_bounded() -> None:
    b = book(max_remembered=3)
    for i in range(10):
        b.add(answer(f"r{i}"), 7, 0.0)
    assert [f"r{i}" in b for i in (6, 7, 9)] == [False, True, True]


def test_a_copy_of_the_first_transmission_is_no_poll_but_another_groups_is() -> None:
    b = book()
    b.add(answer(), 7, 0.0)
    assert b.polled(poll(attempt=0), 1.0) == []
    assert len(b.polled(poll(attempt=0, group=9), 1.0)) == 1, "the base station has forgotten the first"
    assert b.polled(poll(attempt=0, group=9), 1.1) == []
    assert len(b.polled(poll(attempt=1, group=9), 1.2)) == 1
