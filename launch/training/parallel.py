"""Data-parallel training: every worker computes its rows of a step, gradients are averaged.

On one machine that is one process and one thread a core: single-threaded processes get more out of the cores
than one process with threads at these sizes, and do not stall when somebody else uses the machine.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn


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
        """Average all gradients."""
        if self.size == 1:
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
                dist.broadcast(tensor, 0)

    def wait(self) -> None:
        """Until all workers are here."""
        if self.size > 1:
            dist.barrier()
