"""How weights are moved: the learning rate over a phase, the optimizers, and one update.

AdamW (Loshchilov and Hutter 2019). Where training begins with nothing, matrices inside layers are moved by
Muon (Jordan et al. 2024), with its updates scaled to AdamW's (Liu et al. 2025), so that one rate serves both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from launch.training.sharding import clip, is_sharded


@dataclass(frozen=True, slots=True)
class Optimizers:
    """One or two, stepped together."""

    parts: Sequence[torch.optim.Optimizer]

    def groups(self) -> Iterator[dict[str, Any]]:
        for part in self.parts:
            yield from part.param_groups

    def states(self) -> Iterator[tuple[Tensor, dict[str, Any]]]:
        """What is held for each parameter that has been moved."""
        for part in self.parts:
            yield from part.state.items()

    def clear(self) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError for another phase's."""
        for part, held in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(held)


def optimizers(
    parameters: Sequence[nn.Parameter], hidden: Sequence[nn.Parameter] = (), decay: float = 0.02
) -> Optimizers:
    """`hidden` are those of the parameters that Muon moves. Only matrices decay."""
    by_muon = {id(p) for p in hidden}
    others = [p for p in parameters if id(p) not in by_muon]
    # Sharded parameters in groups of their own: one fused step cannot take both kinds.
    groups = [
        {
            "params": [p for p in others if (p.ndim > 1) is matrix and is_sharded(p) is sharded],
            "weight_decay": decay if matrix else 0.0,
        }
        for sharded in (False, True)
        for matrix in (True, False)
    ]
    groups = [group for group in groups if group["params"]]
    adamw = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), fused=True)
    if not hidden:
        return Optimizers([adamw])
    muon = torch.optim.Muon(list(hidden), lr=1e-3, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
    return Optimizers([adamw, muon])


def matrices(layers: nn.Module) -> list[nn.Parameter]:
    """What Muon is for: the matrices of a stack of layers, embeddings and heads left out."""
    return [p for p in layers.parameters() if p.ndim == 2]


def rate(progress: float, peak: float, floor: float, warm_up: float = 0.03) -> float:
    """Warm-up, then cosine from `peak` to `floor` times it (Loshchilov and Hutter 2017)."""
    if progress < warm_up:
        return peak * (progress + 1e-3) / warm_up
    share = (progress - warm_up) / (1 - warm_up)
    return peak * float(floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * share)))


def update(optim: Optimizers, lr: float, most: float = 1.0) -> None:
    """Clip, step at rate `lr`, clear."""
    groups = list(optim.groups())
    clip([p.grad for group in groups for p in group["params"] if p.grad is not None], most)
    for group in groups:
        group["lr"] = lr
    for part in optim.parts:
        part.step()
    optim.clear()
