from collections import Counter

import pytest

from launch.datasets.clevr_style.balance import balanced_questions
from launch.datasets.clevr_style.programs import QUERY_KINDS, execute
from launch.datasets.clevr_style.questions import FAMILIES, Family
from launch.datasets.clevr_style.scene import Scene


@pytest.mark.parametrize("family", FAMILIES)
def test_an_evaluation_set_is_exactly_balanced(scenes: list[Scene], family: Family) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=10, family=family)
    kinds = Counter(question.kind for question in questions)
    assert kinds["exist"] == kinds["count"] == sum(kinds[kind] for kind in QUERY_KINDS)
    assert len({kinds[kind] for kind in QUERY_KINDS}) == 1
    assert kinds["exist"] >= 0.85 * len(scenes) * 10 / 3
    exist = Counter(question.answer for question in questions if question.kind == "exist")
    assert exist["yes"] == exist["no"]
    by_name = {scene["image_filename"]: scene for scene in scenes}
    for question in questions:
        assert question.family == family
        assert execute(question.program, by_name[question.image_filename]) == question.answer


def test_answers_are_evened_out(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=10)
    for kind in QUERY_KINDS:
        answers = Counter(question.answer for question in questions if question.kind == kind)
        assert max(answers.values()) - min(answers.values()) <= 4
    counts = Counter(question.answer for question in questions if question.kind == "count")
    assert max(counts[str(n)] for n in range(5)) - min(counts[str(n)] for n in range(5)) <= 6


def test_a_scene_gets_no_more_than_its_share_and_no_question_twice(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=6)
    per_image = Counter(question.image_filename for question in questions)
    assert max(per_image.values()) <= 6
    assert len({(question.image_filename, question.program) for question in questions}) == len(questions)


def test_the_same_seed_gives_the_same_set(scenes: list[Scene]) -> None:
    first = balanced_questions(scenes[:10], seed=1, per_scene=6)
    assert first == balanced_questions(scenes[:10], seed=1, per_scene=6)
    assert first != balanced_questions(scenes[:10], seed=2, per_scene=6)


def test_kinds_can_be_chosen(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes[:10], seed=1, per_scene=4, kinds=("count",))
    assert {question.kind for question in questions} == {"count"}
    assert len(questions) == 40
