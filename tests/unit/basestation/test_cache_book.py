"""The base station refers to nothing that a UE has not said it has."""

from hypothesis import given
from hypothesis import strategies as st

from basestation.cache_book import CacheBook
from shared.semantic_cache import VERSIONS, KnownImage


def kept(book: CacheBook, user: int, image: str, request: str) -> KnownImage:
    slot = book.allot(user, image, request, 1)
    assert slot is not None
    book.ended(request, kept=True)
    return KnownImage(slot, f"1:{request}")


def test_an_image_is_known_once_its_answer_says_so() -> None:
    book = CacheBook(4)
    slot = book.allot(0, "a", "r1", 7)
    book.ended("r1", kept=True)
    assert slot is not None
    assert book.find(0, "a", 7) == KnownImage(slot, "7:r1")
    assert book.find(1, "a", 7) is None
    assert book.find(0, "b", 7) is None


def test_an_image_under_way_is_referred_to_by_later_groups_until_it_fails() -> None:
    book = CacheBook(4)
    slot = book.allot(0, "a", "r1", 7)
    assert slot is not None
    assert book.find(0, "a", 7) is None, "the group itself shares it"
    assert book.find(0, "a", 8) == KnownImage(slot, "7:r1")
    assert book.find(1, "a", 8) is None
    book.ended("r1", kept=False)
    assert book.find(0, "a", 8) is None


def test_an_image_under_way_is_not_sent_to_a_second_slot() -> None:
    book = CacheBook(4)
    assert book.allot(0, "a", "r1", 1) is not None
    assert book.allot(0, "a", "r2", 2) is None
    assert book.allot(1, "a", "r3", 3) is not None
    book.ended("r1", kept=False)
    assert book.allot(0, "a", "r4", 4) is not None


def test_the_least_recently_referred_to_makes_room() -> None:
    book = CacheBook(2)
    first, second = kept(book, 0, "a", "r1"), kept(book, 0, "b", "r2")
    assert book.find(0, "a", 1) == first
    third = kept(book, 0, "c", "r3")
    assert third.slot.number == second.slot.number
    assert third.slot.version != second.slot.version
    assert book.find(0, "b", 1) is None
    assert book.find(0, "a", 1) == first


def test_slots_under_way_are_not_taken() -> None:
    book = CacheBook(2)
    slots = [book.allot(0, image, f"r{image}", 1) for image in "ab"]
    assert len({slot.number for slot in slots if slot}) == 2
    assert book.allot(0, "c", "rc", 1) is None


def test_a_new_process_of_a_ue_has_nothing() -> None:
    book = CacheBook(4)
    book.attached(0, 0)
    held = kept(book, 0, "a", "r1")
    book.allot(0, "b", "r2", 1)
    book.attached(0, 0)
    assert book.find(0, "a", 1) == held
    book.attached(0, 1)
    assert book.find(0, "a", 1) is None
    book.ended("r2", kept=True)  # its predecessor's word
    assert book.find(0, "b", 1) is None


def test_what_was_missed_is_not_referred_to_again() -> None:
    book = CacheBook(4)
    held = kept(book, 0, "a", "r1")
    book.missed(0, held)
    assert book.find(0, "a", 2) is None
    slot = book.allot(0, "b", "r2", 2)
    assert slot is not None
    book.missed(0, KnownImage(slot, "2:r2"))
    book.ended("r2", kept=True)
    assert book.find(0, "b", 3) is None


def test_without_a_cache_no_slot_is_given() -> None:
    assert CacheBook(0).allot(0, "a", "r1", 1) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcdef"), st.booleans()), max_size=60))
def test_no_two_images_of_a_user_lie_in_one_slot_and_versions_differ(
    asked: list[tuple[int, str, bool]],
) -> None:
    book = CacheBook(3, first_version=VERSIONS - 5)
    versions: list[int] = []
    for number, (user, image, says_kept) in enumerate(asked):
        if book.find(user, image, number) is None:
            slot = book.allot(user, image, f"r{number}", number)
            assert slot is not None  # nothing stays under way here
            versions.append(slot.version)
            book.ended(f"r{number}", kept=says_kept)
        held = [known.slot.number for i in "abcdef" if (known := book.find(user, i, number)) is not None]
        assert len(held) == len(set(held)) <= 3
    assert len(versions) == len(set(versions))
