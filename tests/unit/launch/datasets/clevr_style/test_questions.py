"""Nine families of questions: right, balanced, not to be guessed from their words, not degenerate."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launch.datasets.clevr_style.programs import Node, Program, evaluate, execute
from launch.datasets.clevr_style.questions import (
    FAMILIES,
    HOPS,
    KINDS,
    Family,
    Question,
    groups_of,
    questions_for,
)
from launch.datasets.clevr_style.scene import Scene, sample_scene


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**63), index=st.integers(0, 10**6))
def test_answers_are_what_the_programs_give(seed: int, index: int) -> None:
    scene = sample_scene(1, "property", index)
    questions = questions_for(scene, np.random.default_rng(seed), FAMILIES, per_scene=12)
    assert questions
    for question in questions:
        assert execute(question.program, scene) == question.answer
        assert question.program[-1].function == question.kind
        assert question.image_filename == scene["image_filename"]
        assert question.kind in {kind for group in groups_of(question.family) for kind in KINDS[group]}
    assert len({question.program for question in questions}) == len(questions)


def test_questions_are_a_function_of_seed_and_scene(scenes: list[Scene]) -> None:
    def ask(seed: int) -> list[str]:
        return [q.question for q in questions_for(scenes[0], np.random.default_rng(seed), FAMILIES)]

    assert ask(5) == ask(5)
    assert ask(5) != ask(6)


def asked(
    scenes: list[Scene], family: Family, seed: int = 0, rounds: int = 5
) -> list[tuple[Scene, Question]]:
    rng = np.random.default_rng(seed)
    return [
        (scene, q)
        for scene in scenes
        for _ in range(rounds)
        for q in questions_for(scene, rng, (family,), 10)
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_kinds_and_answers_are_balanced(scenes: list[Scene], family: Family) -> None:
    questions = [question for _, question in asked(scenes, family)]
    assert len(questions) > 0.85 * len(scenes) * 50
    groups = groups_of(family)
    for group in groups:
        share = sum(q.kind in KINDS[group] for q in questions) / len(questions)
        assert abs(share - 1 / len(groups)) < 0.12, group
    said = Counter(q.answer for q in questions if q.answer in ("yes", "no"))
    if said:
        assert 0.44 < said["yes"] / said.total() < 0.56


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_its_form(scenes: list[Scene], family: Family) -> None:
    for _, question in asked(scenes[:20], family, rounds=1):
        used = Counter(node.function for node in question.program)
        if family in HOPS:
            assert used["relate"] == HOPS[family]
        assert (family == "single_and") == (used["intersect"] == 1)
        assert (family == "single_or") == (used["union"] == 1)
        assert (family == "same_relate") == any(name.startswith("same_") for name in used)


@pytest.mark.parametrize("family", ["one_hop", "two_hop", "three_hop", "same_relate", "single_and"])
def test_a_relation_matters_to_the_answer(scenes: list[Scene], family: Family) -> None:
    """Without its last relation, a count is larger and a queried object is no longer the only one."""
    for scene, question in asked(scenes[:20], family, rounds=1):
        program = question.program
        origin = next(
            i for i in range(len(program) - 1, -1, -1) if not _narrows(program[i]) and i < len(program) - 1
        )
        freed = (*program[:origin], replace_node(program[origin]), *program[origin + 1 :])
        chosen = next(
            i for i in range(len(program) - 1, -1, -1) if program[i].function not in ("unique", question.kind)
        )
        before, after = evaluate(program, scene)[chosen], evaluate(freed[: chosen + 1], scene)[chosen]
        assert isinstance(before, tuple)
        assert isinstance(after, tuple)
        if question.kind != "exist" or question.answer == "no":
            assert len(after) > len(before)


def _narrows(node: Node) -> bool:
    return node.function.startswith(("filter_", "unique", "count", "exist", "query_"))


def replace_node(node: Node) -> Node:
    return Node("scene") if node.function != "scene" else node


def test_the_words_of_an_exist_question_do_not_tell_its_answer(scenes: list[Scene]) -> None:
    by_detail: dict[int, Counter[str]] = {}
    for _, question in asked(scenes, "zero_hop", seed=1, rounds=20):
        if question.kind == "exist":
            by_detail.setdefault(len(question.program), Counter())[question.answer] += 1
    for answers in by_detail.values():
        assert answers.total() > 200
        assert 0.4 < answers["yes"] / answers.total() < 0.6


def test_no_is_said_of_attributes_that_the_scene_has(scenes: list[Scene]) -> None:
    hard = total = 0
    for scene, question in asked(scenes, "zero_hop", seed=2):
        present = {
            str(item[name]) for item in scene["objects"] for name in ("size", "color", "material", "shape")
        }
        if question.kind == "exist" and question.answer == "no" and len(question.program) > 3:
            total += 1
            hard += all(node.value in present for node in question.program if node.value is not None)
    assert total > 50
    assert hard / total > 0.9


def test_what_is_compared_is_not_named(scenes: list[Scene]) -> None:
    for _, question in asked(scenes, "comparison", rounds=1):
        attribute = question.kind.removeprefix("equal_")
        for side in _inputs(question.program):
            assert side.function == f"query_{attribute}"
            unique = question.program[side.inputs[0]]
            node = question.program[unique.inputs[0]]
            while node.function.startswith("filter_"):
                assert node.function != f"filter_{attribute}"
                node = question.program[node.inputs[0]]


def _inputs(program: Program) -> list[Node]:
    return [program[i] for i in program[-1].inputs]


def test_a_question_carries_no_state(scenes: list[Scene]) -> None:
    (question, *_) = questions_for(scenes[0], np.random.default_rng(0))
    assert replace(question) == question
