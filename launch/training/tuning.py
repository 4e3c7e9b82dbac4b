"""Phases 1 to 3 on rendered pictures: KAN alignment, multi-task tuning, joint training through the channel.

As in the paper the vision tower is fixed from here on, so its tokens are computed once per picture. Phase 1
trains the projector alone, towards the tokens of the same scenes as symbols and then towards right answers;
phase 2 projector and, by LoRA, the language model; phase 3 these and the channel codec.

Shapes: B sequences, T tokens, N patches, D token width, V vision width.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from launch.training.draws import Air, draw_air
from launch.training.forward import Stack, final_share
from launch.training.hints import Scaffold
from launch.training.language import asked_at_ue, hints
from launch.training.loop import Phase, Rngs, train
from launch.training.material import Material, judge_on_pictures
from launch.training.packing import Batch
from launch.training.parallel import Team
from launch.training.recipe import Plan
from shared.semantic.model import SemanticModel

ALIGN, TUNE, JOINT = "align", "tune", "joint"
HINTS: Final = {ALIGN: 0.0, TUNE: 0.3, JOINT: 0.15}
JUDGE_SNR_DB: Final = 15.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What the phases work on. `tasks`: of vqa, caption, text_classification."""

    model: SemanticModel
    scaffold: Scaffold
    stack: Stack
    material: Material
    dev: Material
    tasks: Sequence[str]

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a phase's checkpoint holds."""
        model = self.model
        return {
            "projector": model.projector,
            "llm": model.llm,
            "codec": model.codec,
            "scaffold": self.scaffold,
        }


def tune(
    team: Team, phase: str, setup: Setup, adapters: Sequence[nn.Parameter], plan: Plan, out: Path, seed: int
) -> None:
    """Run one phase to its end; leaves `<phase>.pt`, from which it continues."""
    model = setup.model
    parts: dict[str, Sequence[nn.Module]] = {
        ALIGN: [model.projector],
        TUNE: [model.projector, setup.scaffold],
        JOINT: [model.projector, setup.scaffold, model.codec],
    }
    parameters = [p for part in parts[phase] for p in part.parameters()]
    parameters += [] if phase == ALIGN else adapters

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        if phase == ALIGN:
            yield "align", align_loss(setup, rngs), {}
            if progress < 0.5:
                return
        yield from task_losses(setup, phase, step, rngs)

    def judge() -> dict[str, float]:
        snr_db = JUDGE_SNR_DB if phase == JOINT else None
        return judge_on_pictures(model, setup.stack, setup.dev, snr_db, plan.rows // team.size)

    train(team, Phase(phase, plan, setup.modules, parameters, losses, judge), out, seed)


def restore(setup: Setup, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Go on from the weights that a phase left elsewhere."""
    for name, module in setup.modules.items():
        module.load_state_dict(weights[name])


def align_loss(setup: Setup, rngs: Rngs) -> Tensor:
    """Distance of picture tokens from those of the same scenes as symbols, over the latter's variance."""
    rows = setup.material.draw(rngs)
    with torch.no_grad():
        wanted = setup.scaffold.tokens(setup.model, setup.material.symbols(rows))
    return (setup.model.projector(setup.material.seen(rows)) - wanted).square().mean() / wanted.var()


def task_losses(
    setup: Setup, phase: str, step: int, rngs: Rngs
) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
    """Questions at every step; reviews at every third and captions at every fourth, where they are tasks.

    Phase 1 has one task on pictures, questions if there are any; reviews do not reach the projector.
    """
    material = setup.material
    if "vqa" in setup.tasks:
        rows = material.draw(rngs)
        batch = material.packer.questions(*material.scenes(rows), rngs)
        yield "vqa", *_task(setup, phase, batch, material.seen(rows), rngs)
        if phase == ALIGN:
            return
    if "text_classification" in setup.tasks and phase != ALIGN and (step % 3 == 0 or len(setup.tasks) == 1):
        reviews = [material.reviews.fill(rng, material.packer) for rng in rngs]
        loss, figures = _task(setup, phase, material.packer.reviews(reviews), None, rngs)
        yield "review", 0.5 * loss, figures
    if "caption" in setup.tasks and (step % 4 == 1 or len(setup.tasks) == 1):
        rows = material.draw(rngs)
        batch = material.packer.captions(*material.scenes(rows))
        loss, figures = _task(setup, phase, batch, material.seen(rows), rngs)
        yield "caption", 0.5 * loss, figures


def _task(
    setup: Setup, phase: str, batch: Batch, seen_BNV: Tensor | None, rngs: Rngs
) -> tuple[Tensor, dict[str, float]]:
    model = setup.model
    air: Air | None = draw_air(batch, rngs, model.config.uses_per_token) if phase == JOINT else None
    with torch.autocast("cpu", torch.bfloat16):
        image = None if seen_BNV is None else model.projector(seen_BNV)
        out = setup.stack.run(batch, image, asked_at_ue(rngs), air, model.config.split_layer)
        loss, right = setup.stack.answer_loss(batch, out)
        if HINTS[phase] and len(batch.hints_H2):
            loss = loss + HINTS[phase] * hints(model, setup.scaffold, batch, out)
    return loss, {"right": final_share(batch, right)}
