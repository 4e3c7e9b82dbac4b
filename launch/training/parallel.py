"""Data-parallel training: every worker computes its rows of a step, gradients are averaged.

A model too large for that is sharded besides (`sharding`).

On one machine that is one process and one thread a core: single-threaded processes get more out of the cores
than one process with threads at these sizes, and do not stall when somebody else uses the machine.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

from launch.training.sharding import is_sharded


class Team:
    """This process's place among the workers."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def rows(self, total: int) -> range:
        """This worker's share of a step's rows. Raises ValueError where they cannot be shared evenly."""
        if total % self.size:
            raise ValueError(f"workers: {total} rows a step cannot be shared evenly by {self.size}")
        return range(self.rank, total, self.size)

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Average all gradients; those of sharded parameters are averaged where they are made."""
        parameters = [p for p in parameters if not is_sharded(p)]
        if self.size == 1 or not parameters:
            return
        held = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = torch.cat([grad.reshape(-1) for grad in held])
        dist.all_reduce(flat)
        flat /= self.size
        start = 0
        for parameter, grad in zip(parameters, held, strict=True):
            parameter.grad = flat[start : start + grad.numel()].view_as(grad)
            start += grad.numel()

    def share(self, tensors: Sequence[Tensor]) -> None:
        """Give everybody the leader's values."""
        if self.size > 1:
            for tensor in tensors:
                if not is_sharded(tensor):
                    dist.broadcast(tensor, 0)

    def mean(self, figures: dict[str, float]) -> dict[str, float]:
        """Every figure's mean over the workers, which all have the same figures."""
        if self.size == 1:
            return figures
        values = torch.tensor(list(figures.values()), dtype=torch.float64)
        dist.all_reduce(values)
        return dict(zip(figures, (values / self.size).tolist(), strict=True))

    def follow(self, *flags: bool) -> tuple[bool, ...]:
        """What the leader says, for everybody."""
        if self.size == 1:
            return flags
        said = torch.tensor(flags)
        dist.broadcast(said, 0)
        return tuple(said.tolist())

    def wait(self) -> None:
        """Until all workers are here."""
        if self.size > 1:
            dist.barrier()
