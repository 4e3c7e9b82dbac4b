import random
import string

import pytest

from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.vocabulary import VALUES
from launch.datasets.clevr_style.wording import (
    ANCHOR_FIRST,
    QUESTIONS,
    RELATIONS,
    SYNONYMS,
    noun_phrase,
    one_hop_question,
    with_article,
    zero_hop_question,
)


def test_every_value_but_colours_has_a_wording_and_none_is_shared() -> None:
    assert set(SYNONYMS) == {*VALUES["size"], *VALUES["material"], *VALUES["shape"]}
    words = [word for choices in SYNONYMS.values() for word in choices]
    assert len(words) == len(set(words))
    assert all(value in choices for value, choices in SYNONYMS.items())


def test_templates_use_only_known_places() -> None:
    known = {"one", "a", "many", "anchor", "rel"}
    for templates in (*QUESTIONS.values(), *ANCHOR_FIRST.values()):
        for template in templates:
            fields = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            assert fields <= known
            assert fields & {"one", "a", "many"}


@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_a_kind_is_asked_in_many_ways(kind: Kind) -> None:
    rnd = random.Random(0)
    shape = None if kind == "query_shape" else "sphere"
    asked = {zero_hop_question(("large", "red", "metal", shape), kind, rnd) for _ in range(300)}
    assert len(asked) > 20
    for question in asked:
        assert "red" in question
        assert question[-1] in "?."
        assert "{" not in question
        assert question[0].isupper()


def test_phrases() -> None:
    rnd = random.Random(1)
    phrases = {noun_phrase((None, None, None, None), rnd) for _ in range(20)}
    assert phrases == {"thing", "object"}
    assert with_article("object") == "an object"
    assert with_article("tiny red thing") == "a tiny red thing"


def test_a_relation_is_always_named() -> None:
    rnd = random.Random(2)
    for direction, phrases in RELATIONS.items():
        for _ in range(50):
            question = one_hop_question(
                (None, "red", None, None), direction, (None, None, None, "cube"), "count", rnd
            )
            assert any(phrase in question for phrase in phrases)
            assert "red" in question
