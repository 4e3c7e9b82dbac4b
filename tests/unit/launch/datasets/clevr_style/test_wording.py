"""Words for groups: synonyms, templates, and that a reader can tell what is meant."""

import random
import re
import string

import numpy as np
import pytest

from launch.datasets.clevr_style import wording
from launch.datasets.clevr_style.groups import BARE, Alike, Group, Side
from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.questions import FAMILIES, questions_for
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import VALUES
from launch.datasets.clevr_style.wording import RELATIONS, SYNONYMS, Writer, with_article

MEANING = {word: value for value, words in SYNONYMS.items() for word in words}


def test_every_value_but_colours_has_a_wording_and_none_is_shared() -> None:
    assert set(SYNONYMS) == {*VALUES["size"], *VALUES["material"], *VALUES["shape"]}
    words = [word for choices in SYNONYMS.values() for word in choices]
    assert len(words) == len(set(words))
    assert all(value in choices for value, choices in SYNONYMS.items())


def test_templates_use_only_known_places() -> None:
    known = {
        "one", "a", "many", "anchor", "rel", "head", "where", "another", "others", "as", "have", "name",
        "x", "y", "ax",
    }  # fmt: skip
    tables = [value for value in vars(wording).values() if isinstance(value, dict | tuple)]
    templates = [t for table in tables for t in _strings(table) if "{" in t]
    assert len(templates) > 50
    for template in templates:
        assert {name for _, name, _, _ in string.Formatter().parse(template) if name} <= known


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [text for part in inner for text in _strings(part)]


@pytest.mark.parametrize("kind", ["exist", "count", "query_size", "query_color", "query_material"])
def test_a_kind_is_asked_in_many_ways(kind: Kind) -> None:
    rnd = random.Random(0)
    said = {Writer(rnd).ask(kind, (Group(("large", "red", "metal", "sphere")),)) for _ in range(300)}
    assert len(said) > 20
    for question in said:
        assert "red" in question
        assert question[-1] in "?."
        assert "{" not in question
        assert question[0].isupper()


def test_phrases() -> None:
    rnd = random.Random(1)
    assert {Writer(rnd).head(BARE) for _ in range(20)} == {"thing", "object"}
    assert with_article("object") == "an object"
    assert with_article("tiny red thing") == "a tiny red thing"
    assert with_article("other red thing") == "another red thing"


def test_a_relation_and_its_anchor_are_always_named() -> None:
    rnd = random.Random(2)
    for direction, phrases in RELATIONS.items():
        anchor = Group((None, "red", None, None))
        group = Group((None, None, None, "cube"), Side(direction, anchor))
        for kind in ("exist", "count", "query_color"):
            for _ in range(30):
                question = Writer(rnd).ask(kind, (group,))
                assert any(phrase in question for phrase in phrases)
                assert "red" in question
    alike = Group((None, "blue", None, None), Alike("size", Group((None, "red", None, None))))
    for kind in ("exist", "count", "query_shape"):
        for _ in range(30):
            assert "same size" in Writer(rnd).ask(kind, (alike,))


def test_a_question_names_every_value_of_its_program(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(3)
    for scene in scenes[:20]:
        for question in questions_for(scene, rng, FAMILIES, 30):
            words = re.findall(r"[a-z]+", question.question.lower())
            said = [MEANING.get(w, MEANING.get(w.removesuffix("s"), w)) for w in words]
            for value in (v for node in question.program if (v := node.value) is not None):
                expected = {"front": "front", "behind": "behind"}.get(value, value)
                assert expected in said, (question.question, value)
