import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launch.datasets.clevr_style.programs import execute
from launch.datasets.clevr_style.questions import FAMILIES, Family, questions_for
from launch.datasets.clevr_style.scene import Scene, sample_scene


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**63), index=st.integers(0, 10**6))
def test_answers_are_what_the_programs_give(seed: int, index: int) -> None:
    scene = sample_scene(1, "property", index)
    questions = questions_for(scene, np.random.default_rng(seed), FAMILIES, per_scene=12)
    assert questions
    for question in questions:
        assert execute(question.program, scene) == question.answer
        assert question.program[-1][0] == question.kind
        assert question.image_filename == scene["image_filename"]
        assert (question.family == "one_hop") == any(function == "relate" for function, _ in question.program)
    assert len({question.program for question in questions}) == len(questions)


def test_questions_are_a_function_of_seed_and_scene(scenes: list[Scene]) -> None:
    def ask(seed: int) -> list[str]:
        return [q.question for q in questions_for(scenes[0], np.random.default_rng(seed), FAMILIES)]

    assert ask(5) == ask(5)
    assert ask(5) != ask(6)


@pytest.mark.parametrize("family", FAMILIES)
def test_kinds_and_answers_are_balanced(scenes: list[Scene], family: Family) -> None:
    rng = np.random.default_rng(0)
    questions = [q for scene in scenes for _ in range(5) for q in questions_for(scene, rng, (family,), 10)]
    assert len(questions) > 0.95 * len(scenes) * 50
    groups = Counter(q.kind.split("_")[0] for q in questions)
    for group in ("exist", "count", "query"):
        assert 0.25 < groups[group] / len(questions) < 0.42
    exist = Counter(q.answer for q in questions if q.kind == "exist")
    assert 0.45 < exist["yes"] / exist.total() < 0.55


def test_the_words_of_an_exist_question_do_not_tell_its_answer(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    by_detail: dict[int, Counter[str]] = {}
    for scene in scenes * 20:
        for question in questions_for(scene, rng, per_scene=5, groups=("exist",)):
            by_detail.setdefault(len(question.program), Counter())[question.answer] += 1
    for answers in by_detail.values():
        assert answers.total() > 300
        assert 0.42 < answers["yes"] / answers.total() < 0.58


def test_no_is_said_of_attributes_that_the_scene_has(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    hard = total = 0
    for scene in scenes:
        present = {
            str(item[name]) for item in scene["objects"] for name in ("size", "color", "material", "shape")
        }
        for question in questions_for(scene, rng, per_scene=8, groups=("exist",)):
            if question.answer == "no" and len(question.program) > 2:
                total += 1
                hard += all(value in present for _, value in question.program[:-1] if value is not None)
    assert hard / total > 0.9


def test_a_relation_matters_to_the_answer(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(3)
    for scene in scenes:
        for question in questions_for(scene, rng, ("one_hop",)):
            relate = next(step for step, (function, _) in enumerate(question.program) if function == "relate")
            fitting = [step for step in question.program[relate + 1 :] if step[0].startswith("filter_")]
            everywhere = int(execute((*fitting, ("count", None)), scene))
            if question.kind == "count":
                assert everywhere > int(question.answer)
            elif question.kind == "exist":
                assert everywhere >= 1
            else:
                assert everywhere >= 2


def test_questions_are_made_fast(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(4)
    started = time.process_time()
    made = sum(len(questions_for(scene, rng)) for scene in scenes)
    # a trainer asks anew each epoch: 2,000/s on the reference machine; the bound leaves room for a busy one
    assert made / (time.process_time() - started) > 1000
