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

from launch.errors import Interrupted, LaunchError
from launch.training.optimizers import Optimizers, optimizers, rate, update
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.record import Record
from launch.training.sharding import spread_like, whole_state
from launch.training.stop import asked_to_stop
from shared.outside_text import one_line

CHECKPOINT_S: Final = 120.0
FIELDS: Final[Mapping[str, Any]] = {"step": int, "spent_s": float, "modules": dict, "optimizer": dict}
"""What a checkpoint holds."""
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
    hidden: Sequence[nn.Parameter] = ()
    """Of the parameters, matrices inside layers that Muon moves; AdamW moves the others."""
    state: dict[str, Any] = field(default_factory=dict)


def train(team: Team, phase: Phase, out: Path, seed: int, leave: Callable[[], bool] = lambda: False) -> None:
    """Run a phase to its end; continues from `<name>.pt` in `out`, and leaves it there.

    `leave` is asked now and then: where it says so, the phase ends early, with a checkpoint.

    Raises:
        Interrupted: there is a stop file; the checkpoint is written. TrainingError: the checkpoint that is
            there cannot be continued.
    """
    checkpoint = Checkpoint(out / f"{phase.name}.pt")
    parameters = [p for p in phase.parameters if p.requires_grad]
    optim = optimizers(parameters, phase.hidden, phase.decay)
    # What an earlier phase left in gradients of what it did not train would enter the first step, but not
    # after a restart.
    optim.clear()
    step, spent_s = _restore(checkpoint, phase, optim)
    team.share([p.data for module in phase.modules.values() for p in module.parameters()])
    record = Record(out, phase.name) if team.leads else None
    start = time.monotonic()

    def save() -> None:
        """By all workers: what is sharded is put together; the leader writes."""
        modules = {name: module.state_dict() for name, module in phase.modules.items()}
        state = whole_state({"modules": modules, "optimizer": optim.state_dict()})
        if team.leads:
            checkpoint.save({**state, "step": step, "spent_s": spent_s + time.monotonic() - start})

    left = False
    while step < phase.plan.steps and not left:
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
        leaving = step % LOG_EVERY == 0 and team.leads and leave()
        stop, due, left = team.follow(asked_to_stop(out), checkpoint.due(), leaving)
        if stop:
            save()
            team.wait()  # who leaves first takes the others along
            raise Interrupted(f"{phase.name}: stopped after step {step} of {phase.plan.steps}")
        figures = team.mean(figures)
        if record is not None:
            record.add(figures)
            if step % LOG_EVERY == 0 or last:
                record.write(step, phase.plan.steps, spent_s + time.monotonic() - start)
        if phase.judge is not None and (step % phase.plan.judge_every == 0 or last):
            dev = phase.judge()  # by all: a sharded model runs on all workers or on none
            if record is not None:
                record.write_dev(step, dev)
        if due or last or left:
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


def _restore(checkpoint: "Checkpoint", phase: Phase, optim: Optimizers) -> tuple[int, float]:
    state = checkpoint.load()
    if state is None:
        return 0, 0.0
    for name, module in phase.modules.items():
        fill(module, state["modules"], name, checkpoint.path)
    try:
        optim.load_state_dict(state["optimizer"])
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{checkpoint.path}: optimizer: not this phase's ({one_line(error)})") from None
    for parameter, held in optim.states():
        for name, value in held.items():
            if value.shape == parameter.shape:
                held[name] = spread_like(value, parameter)
    return int(state["step"]), float(state["spent_s"])


def fill(module: nn.Module, modules: Mapping[str, Mapping[str, Tensor]], name: str, path: Path) -> None:
    """Load one of a checkpoint's modules. Raises `TrainingError`, one line that names file and tensor."""
    found, expected = modules.get(name), module.state_dict()
    if found is None:
        raise TrainingError(f"{path}: modules.{name}: expected its tensors, found none")
    for key in expected.keys() | found.keys():
        wanted = list(expected[key].shape) if key in expected else None
        there = list(found[key].shape) if key in found else None
        if wanted != there:
            raise TrainingError(
                f"{path}: modules.{name}.{key}: expected {_shape(wanted)}, found {_shape(there)}: "
                "a checkpoint of other sizes"
            )
    module.load_state_dict({key: spread_like(tensor, expected[key]) for key, tensor in found.items()})


def _shape(shape: list[int] | None) -> str:
    return "none" if shape is None else f"shape {shape}"


class Checkpoint:
    """One phase's state in a file, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """None where there is no file; raises `TrainingError`, one line, for a file that is no checkpoint."""
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, weights_only=True, mmap=True)
        except Exception as error:  # noqa: BLE001  torch.load raises whatever its parts do
            raise TrainingError(f"{self.path}: no whole checkpoint ({type(error).__name__})") from None
        for name, kind in FIELDS.items():
            value = state.get(name) if isinstance(state, dict) else None
            if not isinstance(value, kind):
                raise TrainingError(
                    f"{self.path}: {name}: no whole checkpoint (found {type(value).__name__} there)"
                )
        return dict(state)

    def modules(self) -> Mapping[str, Mapping[str, Tensor]]:
        """The weights that a phase left. Raises `TrainingError`."""
        state = self.load()
        if state is None:
            raise TrainingError(f"{self.path}: no such file, expected the checkpoint of a phase")
        found: Mapping[str, Mapping[str, Tensor]] = state["modules"]
        return found

    def due(self) -> bool:
        return time.monotonic() - self._last >= CHECKPOINT_S

    def save(self, state: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".tmp")
        torch.save(state, partial)
        os.replace(partial, self.path)
        self._last = time.monotonic()


class TrainingError(LaunchError):
    """Training cannot go on; one line for people."""
