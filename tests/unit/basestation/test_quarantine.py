"""When a UE ended: one at a time; what ends it twice is found, the others get through."""

from basestation.quarantine import Quarantine
from basestation.requests import Event, RequestBook, RequestRecord
from tests.unit.basestation.test_requests import record


def book_of(*names: str, user: int = 0) -> tuple[RequestBook, list[RequestRecord]]:
    book, records = RequestBook(), [record(name, user) for name in names]
    for r in records:
        book.add(r)
        r.step(Event.TRANSMITTED)
    return book, records


def end(book: RequestBook, r: RequestRecord) -> None:
    r.step(Event.ANSWER_OK)
    book.close(r)


def test_suspects_are_delivered_one_at_a_time_and_then_all_that_waited() -> None:
    book, (a, b) = book_of("a", "b")
    quarantine = Quarantine()
    assert quarantine.due(book) == []
    assert quarantine.died([a, b]) == []
    late = record("late")
    book.add(late)
    assert [quarantine.holds(r) for r in (a, b, late)] == [False, True, True]
    assert not quarantine.holds(record("of another user", 1))
    assert [r.request_id for r in quarantine.due(book)] == ["a"]
    assert quarantine.due(book) == []
    end(book, a)
    assert [r.request_id for r in quarantine.due(book)] == ["b"]
    end(book, b)
    assert not quarantine.holds(late)
    assert [r.request_id for r in quarantine.due(book)] == ["late"]
    assert quarantine.due(book) == []
    assert not quarantine.concerns(0)


def test_what_was_alone_at_the_second_end_is_poison() -> None:
    book, (a, b) = book_of("a", "b")
    quarantine = Quarantine()
    assert quarantine.died([a, b]) == []
    assert quarantine.died([a]) == [a]
    end(book, a)
    assert [r.request_id for r in quarantine.due(book)] == ["b"]
    assert b.ue_deaths == 1


def test_two_ends_with_company_convict_nobody() -> None:
    _, (a, b) = book_of("a", "b")
    quarantine = Quarantine()
    quarantine.died([a, b])
    assert quarantine.died([a, b]) == []
    assert quarantine.died([b]) == [b]


def test_an_end_with_nothing_at_the_ue_concerns_nobody() -> None:
    quarantine = Quarantine()
    assert quarantine.died([]) == []
    assert not quarantine.concerns(0)


def test_a_ue_that_comes_back_is_given_the_same_one_again() -> None:
    book, (a, _) = book_of("a", "b")
    quarantine = Quarantine()
    quarantine.died([a])
    assert quarantine.due(book) == [a]
    quarantine.again(0)
    assert quarantine.due(book) == [a]
