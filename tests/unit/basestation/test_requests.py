"""The table of a request's life, and the book that keeps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestation.requests import TERMINAL, TRANSITIONS, Event, RequestBook, RequestRecord, State


def record(name: str = "r000000", user: int = 0) -> RequestRecord:
    return RequestRecord(
        request_id=name,
        user=user,
        task="vqa",
        text="",
        image=b"x",
        image_key=None,
        admitted_s=0.0,
        deadline_s=1.0,
    )


def test_no_way_leads_out_of_a_terminal_state() -> None:
    assert not {state for state, _ in TRANSITIONS} & TERMINAL


def test_every_open_state_can_end_by_the_deadline_whether_the_user_is_there_or_not() -> None:
    for state in set(State) - TERMINAL:
        assert TRANSITIONS[state, Event.DEADLINE] is State.EXPIRED
        assert TRANSITIONS[state, Event.USER_GONE] is State.FAILED


def test_an_answer_counts_only_once_something_was_sent() -> None:
    r = record()
    assert not r.step(Event.ANSWER_OK)
    assert r.state is State.ENCODING
    r.step(Event.TRANSMITTED)
    assert r.step(Event.ANSWER_OK)
    assert r.state is State.ANSWERED


@given(st.lists(st.sampled_from(list(Event)), max_size=40))
def test_any_order_of_events_ends_at_most_once(events: list[Event]) -> None:
    r = record()
    endings = 0
    for event in events:
        was_open = not r.state.terminal
        changed = r.step(event)
        endings += was_open and r.state.terminal
        assert was_open or not changed
    assert endings <= 1


def test_the_book_closes_each_request_once_and_remembers_a_bounded_number() -> None:
    book = RequestBook(max_remembered=2)
    for i in range(4):
        r = record(f"r{i}", user=i % 2)
        book.add(r)
    assert [r.request_id for r in book.open_of(1)] == ["r1", "r3"]
    with pytest.raises(ValueError, match="not finished"):
        book.close(book.open_of(1)[0])
    for r in book:
        r.step(Event.REFUSE)
        book.close(r)
        assert r.image is None
    assert len(book) == 0
    assert [book.get(f"r{i}") is not None for i in range(4)] == [False, False, True, True]
    with pytest.raises(ValueError, match="closed before"):
        book.close(r)


def test_of_an_ended_request_is_kept_what_a_late_answer_is_known_by() -> None:
    r = record("r1", user=3)
    r.text, r.stage_ms, r.image_key = "what was asked", {"encode": 1.0}, "ab" * 32
    stages = r.stage_ms
    r.step(Event.REFUSE)
    r.let_go()
    assert (r.request_id, r.user, r.state.terminal) == ("r1", 3, True)
    assert (r.text, r.image_key, r.stage_ms) == ("", None, {})
    assert stages == {"encode": 1.0}, "the journal's own"
