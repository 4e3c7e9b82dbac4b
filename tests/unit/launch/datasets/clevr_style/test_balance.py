"""Sets of questions are even in what they ask and in what is answered."""

from collections import Counter

import pytest

from launch.datasets.clevr_style.balance import balanced_questions
from launch.datasets.clevr_style.offers import check_families
from launch.datasets.clevr_style.programs import QUERY_KINDS, execute
from launch.datasets.clevr_style.questions import FAMILIES, KINDS, Family, groups_of
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.errors import DatasetError


@pytest.mark.parametrize("family", FAMILIES)
def test_an_evaluation_set_is_balanced(scenes: list[Scene], family: Family) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=6, families=(family,))
    assert len(questions) > 0.9 * 6 * len(scenes)  # three objects do not make many chains
    by_group = {g: sum(q.kind in KINDS[g] for q in questions) for g in groups_of(family)}
    assert max(by_group.values()) - min(by_group.values()) <= 0.1 * len(questions)
    said = Counter(q.answer for q in questions if q.answer in ("yes", "no"))
    assert abs(said["yes"] - said["no"]) <= max(2, 0.06 * said.total())
    by_name = {scene["image_filename"]: scene for scene in scenes}
    for question in questions:
        assert question.family == family
        assert execute(question.program, by_name[question.image_filename]) == question.answer


def test_all_families_get_their_share(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes, seed=3, per_scene=9, families=FAMILIES)
    families = Counter(question.family for question in questions)
    assert set(families) == set(FAMILIES)
    assert max(families.values()) - min(families.values()) <= 1


def test_answers_are_evened_out(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=10)
    for kind in QUERY_KINDS:
        answers = Counter(question.answer for question in questions if question.kind == kind)
        assert max(answers.values()) - min(answers.values()) <= 5
    counts = Counter(question.answer for question in questions if question.kind == "count")
    assert max(counts[str(n)] for n in range(5)) - min(counts[str(n)] for n in range(5)) <= 8


def test_a_scene_gets_its_share_and_no_question_twice(scenes: list[Scene]) -> None:
    questions = balanced_questions(scenes, seed=7, per_scene=6)
    assert set(Counter(question.image_filename for question in questions).values()) == {6}
    assert len({(question.image_filename, question.program) for question in questions}) == len(questions)


def test_the_same_seed_gives_the_same_set(scenes: list[Scene]) -> None:
    first = balanced_questions(scenes[:10], seed=1, per_scene=6)
    assert first == balanced_questions(scenes[:10], seed=1, per_scene=6)
    assert first != balanced_questions(scenes[:10], seed=2, per_scene=6)


def test_families_are_checked() -> None:
    assert check_families(["all"]) == FAMILIES
    assert check_families(["one_hop"]) == ("one_hop",)
    for names in (["four_hop"], [], ["all", "one_hop"]):
        with pytest.raises(DatasetError, match="families"):
            check_families(names)
