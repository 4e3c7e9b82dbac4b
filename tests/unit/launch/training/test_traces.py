"""Traces name the objects that a program goes through, and end with its answer."""

import numpy as np
import pytest

from launch.datasets.clevr_style.programs import Node, evaluate
from launch.datasets.clevr_style.questions import FAMILIES, Family, questions_for
from launch.datasets.clevr_style.scene import imagine_scene
from launch.training.scenes import patches_of
from launch.training.traces import FLAGS, FREE, constraint, trace
from shared.semantic.trace import split_trace


@pytest.mark.parametrize("family", FAMILIES)
def test_a_trace_ends_with_the_answer_and_names_only_what_the_program_finds(family: Family) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        scene = imagine_scene(rng, 8, (240, 160))
        where = patches_of(scene, 240, 160)
        for question in questions_for(scene, rng, (family,), 5):
            results = evaluate(question.program, scene)
            words = trace(question.program, results, where.objects, question.answer)
            reason, answer = split_trace(" ".join(word.text for word in words))
            assert answer == question.answer
            found = {i for r in results if isinstance(r, tuple) for i in r}
            for word in words:
                assert set(word.about or ()) <= found
                if word.text.startswith("@") and word.text != "@none":
                    assert word.about is not None
                    assert [f"@{where.objects[i]}" for i in word.about] == [word.text]
            assert reason
            direct = trace(question.program, results, where.objects, question.answer, direct=True)
            assert [word.text for word in direct] == ["=", question.answer]


def test_the_steps_of_a_chain() -> None:
    """'What colour is the thing left of the cube?' goes by the cube to the thing."""
    program = (
        Node("scene"),
        Node("filter_shape", (0,), "cube"),
        Node("unique", (1,)),
        Node("relate", (2,), "left"),
        Node("unique", (3,)),
        Node("query_color", (4,)),
    )
    results = [(0, 1), (1,), (1,), (0,), (0,), "red"]
    words = trace(program, results, (40, 17), "red")
    assert [word.text for word in words] == ["@17", ";", "@40", "=", "red"]
    assert [word.about for word in words] == [(1,), (), (0,), (), (0,)]
    assert constraint(program, 1) == (0, 0, 0, 1, *(0,) * len(FLAGS))
    assert constraint(program, 3)[4 + FLAGS.index("left")] == 1


def test_counts_on_the_way_and_empty_sets_are_said() -> None:
    program = (
        Node("scene"),
        Node("filter_color", (0,), "red"),
        Node("count", (1,)),
        Node("scene"),
        Node("filter_color", (3,), "blue"),
        Node("count", (4,)),
        Node("less_than", (2, 5)),
    )
    results = [(0, 1), (0, 1), 2, (0, 1), (), 0, False]
    words = [word.text for word in trace(program, results, (9, 3), "no")]
    assert words == ["@3", "@9", "2", ";", "@none", "0", "=", "no"]


def test_a_plain_text_is_all_answer() -> None:
    assert split_trace("yes") == ("", "yes")
    assert split_trace("@3 a red cube, @4 a ball.") == ("", "a red cube, a ball.")
    assert split_trace(" @17 ; @3@40 = 2 ") == ("@17 ; @3@40", "2")
    assert len(FREE) == 4 + len(FLAGS)
