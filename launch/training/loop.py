"""The loop that every training phase runs: draw, differentiate, average, update, log, checkpoint.

What a step draws is a function of (seed, phase, step, row) alone. So a phase that was killed and continued
takes the same steps as one that was not, and several workers, each with its share of the rows, compute the
gradient that one would.
"""

import os
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.record import Record

CHECKPOINT_S: Final = 120.0
LOG_EVERY: Final = 50

Rngs = Sequence[np.random.Generator]
#: Parts of one step's loss with their figures; each is differentiated on its own, so that memory is freed.
Losses = Iterable[tuple[str, Tensor, Mapping[str, float]]]


@dataclass(slots=True)
class Phase:
    """What one phase trains, on what, and how well it does."""

    name: str
    plan: Plan
    modules: Mapping[str, nn.Module]
    """Saved in the checkpoint under these names."""
    parameters: Sequence[nn.Parameter]
    losses: Callable[[int, float, Rngs], Losses]
    """(step, progress, one generator for each row of this worker) -> parts of the loss."""
    judge: Callable[[], Mapping[str, float]] | None = None
    decay: float = 0.02
    state: dict[str, Any] = field(default_factory=dict)


def train(team: Team, phase: Phase, out: Path, seed: int) -> None:
    """Run a phase to its end; continues from `<name>.pt` in `out`, and leaves it there."""
    checkpoint = Checkpoint(out / f"{phase.name}.pt")
    parameters = [p for p in phase.parameters if p.requires_grad]
    optim = optimizer(parameters, phase.decay)
    step, spent_s = _restore(checkpoint, phase, optim)
    team.share([p.data for module in phase.modules.values() for p in module.parameters()])
    record = Record(out, phase.name) if team.leads else None
    start = time.monotonic()
    # What an earlier phase left in gradients of what it did not train would enter the first step, but not
    # after a restart.
    optim.zero_grad(set_to_none=True)

    def save() -> None:
        checkpoint.save(
            {
                "modules": {name: module.state_dict() for name, module in phase.modules.items()},
                "optimizer": optim.state_dict(),
                "step": step,
                "spent_s": spent_s + time.monotonic() - start,
            }
        )

    while step < phase.plan.steps:
        progress = step / phase.plan.steps
        rngs = [row_rng(seed, phase.name, step, row) for row in team.rows(phase.plan.rows)]
        figures: dict[str, float] = {}
        for name, loss, found in phase.losses(step, progress, rngs):
            loss.backward()
            figures |= {f"{name}/loss": float(loss.detach()), **{f"{name}/{k}": v for k, v in found.items()}}
        team.average(parameters)
        update(optim, rate(progress, phase.plan.peak, phase.plan.floor))
        step += 1
        last = step == phase.plan.steps
        if record is None:
            continue
        record.add(figures)
        if step % LOG_EVERY == 0 or last:
            record.write(step, phase.plan.steps, spent_s + time.monotonic() - start)
        if phase.judge is not None and (step % phase.plan.judge_every == 0 or last):
            record.write_dev(step, phase.judge())
        if checkpoint.due() or last:
            save()
    if record is not None:
        if not checkpoint.path.exists():  # a plan without steps: its start is its end
            save()
        record.close()


def row_rng(seed: int, phase: str, step: int, row: int) -> np.random.Generator:
    """The generator of one row of one step."""
    return np.random.default_rng([seed, zlib.crc32(phase.encode()), step, row])


def normal(rngs: Rngs, *shape: int) -> Tensor:
    """Unit normal numbers [rows, *shape], each row from its own generator."""
    return torch.from_numpy(np.stack([rng.standard_normal(shape, np.float32) for rng in rngs]))


def _restore(checkpoint: "Checkpoint", phase: Phase, optim: torch.optim.Optimizer) -> tuple[int, float]:
    state = checkpoint.load()
    if state is None:
        return 0, 0.0
    for name, module in phase.modules.items():
        module.load_state_dict(state["modules"][name])
    optim.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["spent_s"])


def rate(progress: float, peak: float, floor: float, warm_up: float = 0.03) -> float:
    """Warm-up, then cosine from `peak` to `floor` times it (Loshchilov and Hutter 2017)."""
    if progress < warm_up:
        return peak * (progress + 1e-3) / warm_up
    share = (progress - warm_up) / (1 - warm_up)
    return peak * float(floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * share)))


def optimizer(parameters: Sequence[nn.Parameter], decay: float = 0.02) -> torch.optim.AdamW:
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), fused=True)


def update(optim: torch.optim.Optimizer, lr: float, clip: float = 1.0) -> None:
    """Clip, step at rate `lr`, clear."""
    parameters = [p for group in optim.param_groups for p in group["params"]]
    nn.utils.clip_grad_norm_(parameters, clip)
    for group in optim.param_groups:
        group["lr"] = lr
    optim.step()
    optim.zero_grad(set_to_none=True)


class Checkpoint:
    """One phase's state in a file, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Raises `TrainingError`, one line, for a file that is no checkpoint."""
        if not self.path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True)
            state["step"], state["modules"]
        except Exception as error:  # noqa: BLE001  torch.load raises whatever its parts do
            raise TrainingError(f"{self.path}: no whole checkpoint ({type(error).__name__})") from None
        return state

    def due(self) -> bool:
        return time.monotonic() - self._last >= CHECKPOINT_S

    def save(self, state: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".tmp")
        torch.save(state, partial)
        os.replace(partial, self.path)
        self._last = time.monotonic()


class TrainingError(RuntimeError):
    """Training cannot go on; one line for people."""
