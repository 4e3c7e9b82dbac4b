"""Where a step of DeepSC-VQA's reasoning should look: the objects that the program finds, set by set."""

import math

import numpy as np
import pytest
import torch

from launch.datasets.clevr_style.programs import evaluate
from launch.datasets.clevr_style.questions import FAMILIES, Family, questions_for
from launch.datasets.clevr_style.scene import imagine_scene
from launch.training.deepsc.hints import SETS, patches_found, pointing_loss
from launch.training.deepsc.vision import centres
from launch.training.scenes import NOTHING, patches_of
from launch.training.traces import shown

GRID = 14


@pytest.mark.parametrize("family", FAMILIES)
def test_every_set_is_the_patches_of_its_objects(family: Family) -> None:
    """They hold objects, as the dense supervision says; of a count they are as many as the answer says."""
    rng = np.random.default_rng(3)
    for _ in range(10):
        scene = imagine_scene(rng, 8, (240, 160))
        where = patches_of(scene, 240, 160)
        full = np.flatnonzero(centres(where, GRID)[:, 0] != NOTHING)
        for question in questions_for(scene, rng, (family,), 5):
            results = evaluate(question.program, scene)
            found = patches_found(question.program, scene, where, GRID)
            sets = [results[number] for number in shown(question.program)]
            assert [len(places) for places in found] == [len(s) for s in sets if isinstance(s, tuple)]
            assert {place for places in found for place in places} <= set(full.tolist())
            if family == "zero_hop" and question.kind == "count":
                assert len(found[-1]) == int(question.answer)


def test_nothing_is_lost_where_a_step_means_its_set_alone() -> None:
    scores = torch.full((2, 3, 5), -40.0)
    scores[0, 0, [1, 4]] = 40.0
    found = [[[1, 4], []], [[2]]]  # the second set of the first question is empty; other steps are free
    loss, right = pointing_loss(scores, found, questions=2)
    missed = 40.0  # of the second question's patch 2
    assert math.isclose(float(loss), missed / (2 * SETS), rel_tol=1e-5)
    assert math.isclose(right, 2 / 3, rel_tol=1e-6)


def test_free_steps_and_sets_beyond_the_last_step_teach_nothing() -> None:
    scores = torch.zeros(1, 2, 4, requires_grad=True)
    loss, _ = pointing_loss(scores, [[[0]]], 1)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad[0, 0].abs().min() > 0
    assert scores.grad[0, 1].abs().max() == 0
    with torch.no_grad():
        more, _ = pointing_loss(scores, [[[0], [1], [2]]], 1)
        assert torch.equal(more, pointing_loss(scores, [[[0], [1]]], 1)[0])
        assert pointing_loss(scores, [[]], 1) == (torch.tensor(0.0), 0.0)


def test_the_mean_of_two_workers_losses_is_that_of_all_questions() -> None:
    scores = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(0)) * 9.0
    found = [[[0]], [[1], [2, 3]]]
    shares = [float(pointing_loss(scores[[row]], [found[row]], 1)[0]) for row in (0, 1)]
    assert sum(shares) / 2 == pytest.approx(float(pointing_loss(scores, found, 2)[0]))
