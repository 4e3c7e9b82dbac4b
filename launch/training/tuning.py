"""Phases 1 to 3: KAN alignment, multi-task tuning, joint training through the channel.

As in the paper the vision tower is fixed from here on. Phase 1 trains the projector alone; phase 2 the
projector and, by LoRA, the language model; phase 3 these and the channel codec. What they learn from is a
`Source`: rendered scenes (`scene_tasks`) or conversations (`chats`).

Shapes: B sequences, N patches, V vision width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from launch.training.draws import Air, draw_air
from launch.training.forward import Stack, final_share
from launch.training.hints import Scaffold
from launch.training.language import asked_at_ue, hints
from launch.training.loop import Losses, Phase, Rngs, train
from launch.training.mixed import bfloat16_is_faster
from launch.training.packing import Batch
from launch.training.parallel import Team
from launch.training.recipe import Plan
from shared.semantic.model import SemanticModel

ALIGN, TUNE, JOINT = "align", "tune", "joint"
PHASES: Final = (ALIGN, TUNE, JOINT)
HINTS: Final = {ALIGN: 0.0, TUNE: 0.3, JOINT: 0.15}
JUDGE_SNR_DB: Final = 15.0


@dataclass(frozen=True, slots=True)
class Learner:
    """What the phases train. `adapters` are the language model's; `modules` make up a checkpoint.

    `mixed`: computed in bfloat16 where that is safe (always with weights in bfloat16); `scaffold` only where
    there are hints.
    """

    model: SemanticModel
    stack: Stack
    adapters: Sequence[nn.Parameter]
    modules: Mapping[str, nn.Module]
    scaffold: Scaffold | None = None
    mixed: bool = field(default_factory=bfloat16_is_faster)

    def parameters(self, phase: str) -> list[nn.Parameter]:
        """What a phase trains."""
        parts: list[nn.Module] = [self.model.projector]
        if phase != ALIGN and self.scaffold is not None:
            parts.append(self.scaffold)
        if phase == JOINT:
            parts.append(self.model.codec)
        return [p for part in parts for p in part.parameters()] + ([] if phase == ALIGN else [*self.adapters])

    def loss(
        self, phase: str, batch: Batch, seen_BNV: Tensor | None, rngs: Rngs
    ) -> tuple[Tensor, dict[str, float]]:
        """Of one batch, in phase 3 through the air, with the share of right answers."""
        model = self.model
        air: Air | None = draw_air(batch, rngs, model.config.uses_per_token) if phase == JOINT else None
        with torch.autocast("cpu", torch.bfloat16, enabled=self.mixed):
            image = None if seen_BNV is None else model.projector(seen_BNV)
            out = self.stack.run(batch, image, asked_at_ue(rngs), air, model.config.split_layer)
            loss, right = self.stack.answer_loss(batch, out)
            if self.scaffold is not None and HINTS[phase] and len(batch.hints_H2):
                loss = loss + HINTS[phase] * hints(model, self.scaffold, batch, out)
        return loss, {"right": final_share(batch, right)}


class Source(Protocol):
    """What the phases learn from, and are judged by."""

    def losses(self, phase: str, step: int, progress: float, rngs: Rngs) -> Losses:
        """As `loop.Phase.losses`."""
        ...

    def judge(self, phase: str, rows: int) -> Mapping[str, float]:
        """Figures on data kept for choosing, `rows` sequences at a time."""
        ...


def tune(team: Team, phase: str, learner: Learner, source: Source, plan: Plan, out: Path, seed: int) -> None:
    """Run one phase to its end; leaves `<phase>.pt`, from which it continues."""
    train(
        team,
        Phase(
            phase,
            plan,
            learner.modules,
            learner.parameters(phase),
            lambda step, progress, rngs: source.losses(phase, step, progress, rngs),
            lambda: source.judge(phase, plan.rows // team.size),
        ),
        out,
        seed,
    )
