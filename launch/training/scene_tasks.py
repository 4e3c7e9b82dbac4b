"""What phases 1 to 3 of the micro weights learn from: rendered pictures, and reviews.

The vision tower's tokens are computed once per picture. Phase 1 begins with the tokens of the same scenes as
symbols, which the language model was trained on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from launch.training.loop import Losses, Rngs
from launch.training.material import Material, judge_on_pictures
from launch.training.tuning import ALIGN, JOINT, JUDGE_SNR_DB, Learner

#: The share of phase 1 that only compares tokens: a tenth of the cost of a step through the language model.
ALONE: Final = 0.9


@dataclass(frozen=True, slots=True)
class SceneTasks:
    """`tasks`: of vqa, caption, text_classification."""

    learner: Learner
    material: Material
    dev: Material
    tasks: Sequence[str]

    def losses(self, phase: str, step: int, progress: float, rngs: Rngs) -> Losses:
        if phase == ALIGN:
            yield "align", self._align_loss(rngs), {}
            if progress < ALONE:
                return
        yield from self._task_losses(phase, step, rngs)

    def judge(self, phase: str, rows: int) -> Mapping[str, float]:
        snr_db = JUDGE_SNR_DB if phase == JOINT else None
        return judge_on_pictures(self.learner.model, self.learner.stack, self.dev, snr_db, rows)

    def _align_loss(self, rngs: Rngs) -> Tensor:
        """Distance of picture tokens from those of the same scenes as symbols, over the latter's variance."""
        model, scaffold = self.learner.model, self.learner.scaffold
        assert scaffold is not None
        rows = self.material.draw(rngs)
        with torch.no_grad():
            wanted = scaffold.tokens(model, self.material.symbols(rows))
        return (model.projector(self.material.seen(rows)) - wanted).square().mean() / wanted.var()

    def _task_losses(
        self, phase: str, step: int, rngs: Rngs
    ) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        """Questions at every step; reviews at every second and captions at every fourth, where asked for.

        Phase 1 has one task on pictures, questions if there are any; reviews do not reach the projector.
        """
        material, loss_of = self.material, self.learner.loss
        alone = len(self.tasks) == 1
        if "vqa" in self.tasks:
            yield "vqa", *loss_of(phase, *material.asked(rngs), rngs)
            if phase == ALIGN:
                return
        if "text_classification" in self.tasks and phase != ALIGN and (step % 2 == 0 or alone):
            reviews = [material.reviews.fill(rng, material.packer) for rng in rngs]
            loss, figures = loss_of(phase, material.packer.reviews(reviews), None, rngs)
            yield "review", 0.5 * loss, figures
        if "caption" in self.tasks and (step % 4 == 1 or alone):
            rows = material.draw(rngs)
            batch = material.packer.captions(*material.scenes(rows))
            loss, figures = loss_of(phase, batch, material.seen(rows), rngs)
            yield "caption", 0.5 * loss, figures
