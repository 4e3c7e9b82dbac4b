"""Help that only training has: which patches a step of reasoning should look at.

The programs of questions say which objects are found on the way to an answer. M4SC learns to write them
as traces, and its attention is shown where to look (`launch.training.hints`); without either, answers come
after a long plateau. So the same is told to DeepSC-VQA: the first step of reasoning should mean the patches
of the first set of objects, the second those of the second, and so on; what remains of the steps is free.

Shapes: Q questions, S steps, N patches.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from launch.datasets.clevr_style.programs import Program, evaluate
from launch.datasets.clevr_style.scene import Scene
from launch.training.deepsc.vision import patch_of
from launch.training.scenes import Patches
from launch.training.traces import shown

SETS: Final = 2.6
"""As many does a question's program find, on average."""


def patches_found(program: Program, scene: Scene, where: Patches, grid: int) -> list[list[int]]:
    """The patches of a grid that hold the objects of every set that the program finds, in its order."""
    results = evaluate(program, scene)
    sets = []
    for number in shown(program):
        chosen = results[number]
        assert isinstance(chosen, tuple)
        places = (patch_of(where.centres_O2[index], grid) for index in chosen)
        sets.append([place for place in places if place is not None])
    return sets


def pointing_loss(
    log_odds_QSN: Tensor, found: Sequence[Sequence[Sequence[int]]], questions: int
) -> tuple[Tensor, float]:
    """Cross-entropy of a set, summed over patches; and the share of sets that are right to the last patch.

    The mean is over as many sets as `questions` questions have on average, not over those that there are: so
    the gradient of several workers is that of one.
    """
    said_QSN, steps = log_odds_QSN.float(), log_odds_QSN.shape[1]
    wanted, told = np.zeros(said_QSN.shape, np.float32), np.zeros(said_QSN.shape[:2], np.float32)
    for question, sets in enumerate(found):
        told[question, : len(sets)] = 1.0
        for step, places in enumerate(sets[:steps]):
            wanted[question, step, places] = 1.0
    wanted_QSN, told_QS = torch.from_numpy(wanted), torch.from_numpy(told)
    losses_QS = functional.binary_cross_entropy_with_logits(said_QSN, wanted_QSN, reduction="none").sum(-1)
    right_QS = ((said_QSN > 0) == (wanted_QSN > 0)).all(-1).float()
    loss = (losses_QS * told_QS).sum() / (SETS * questions)
    return loss, float((right_QS * told_QS).sum() / told_QS.sum().clamp_min(1.0))
