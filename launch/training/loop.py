"""What all phases share: a budget in wall-clock time, a cosine schedule, checkpoints that survive kill -9."""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

CHECKPOINT_S = 120.0
WARMUP = 0.03


class Clock:
    """Progress of one phase: time spent in it, over its budget, across restarts."""

    def __init__(self, budget_s: float, spent_s: float = 0.0) -> None:
        self.budget_s = budget_s
        self._before = spent_s
        self._start = time.monotonic()

    @property
    def spent_s(self) -> float:
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        return min(1.0, self.spent_s / self.budget_s)


def rate(progress: float, peak: float, floor: float = 0.05) -> float:
    """Warm-up, then cosine from `peak` to `floor` times it."""
    if progress < WARMUP:
        return peak * progress / WARMUP
    share = (progress - WARMUP) / (1 - WARMUP)
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share)))


def optimizer(parameters: list[nn.Parameter], decay: float = 0.02) -> torch.optim.AdamW:
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
        if not self.path.exists():
            return None
        state: dict[str, Any] = torch.load(self.path, weights_only=True)
        return state

    def due(self) -> bool:
        return time.monotonic() - self._last >= CHECKPOINT_S

    def save(self, state: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".tmp")
        torch.save(state, partial)
        os.replace(partial, self.path)
        self._last = time.monotonic()


def log(path: Path, phase: str, **values: float | int | str) -> None:
    """One JSON line to the file and to stdout."""
    line = json.dumps(
        {"phase": phase, **{k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}}
    )
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, flush=True)


class Mean:
    """Running means between two log lines."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, **values: float) -> None:
        for name, value in values.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value, count + 1)

    def take(self) -> dict[str, float]:
        means = {name: total / count for name, (total, count) in self._sums.items()}
        self._sums.clear()
        return means
