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

    def __init__(self, rank: int, size: int, group: dist.ProcessGroup | None = None, leader: int = 0) -> None:
        """`leader` is the first worker's rank among all; `group` None: all of them."""
        self.rank, self.size = rank, size
        self._group, self._leader = group, leader

    def halves(self) -> tuple[int, "Team"]:
        """Two teams of this one, of two or more: which of them this worker is in (0 or 1), and that team."""
        # By all workers, both groups in the same order, as `new_group` asks for.
        sides = [range(side, self.size, 2) for side in (0, 1)]
        groups = [dist.new_group(list(ranks)) for ranks in sides]
        side = self.rank % 2
        return side, Team(self.rank // 2, len(sides[side]), groups[side], sides[side][0])

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
        dist.all_reduce(flat, group=self._group)
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
                    dist.broadcast(tensor, self._leader, group=self._group)

    def mean(self, figures: dict[str, float]) -> dict[str, float]:
        """Every figure's mean over the workers, which all have the same figures."""
        if self.size == 1:
            return figures
        values = torch.tensor(list(figures.values()), dtype=torch.float64)
        dist.all_reduce(values, group=self._group)
        return dict(zip(figures, (values / self.size).tolist(), strict=True))

    def follow(self, *flags: bool) -> tuple[bool, ...]:
        """What the leader says, for everybody."""
        if self.size == 1:
            return flags
        said = torch.tensor(flags)
        dist.broadcast(said, self._leader, group=self._group)
        return tuple(said.tolist())

    def any(self, flag: bool) -> bool:
        """Whether anybody says so, once all workers are here."""
        if self.size == 1:
            return flag
        said = torch.tensor(int(flag))
        dist.all_reduce(said, group=self._group)
        return bool(said)

    def wait(self) -> None:
        """Until all workers are here."""
        if self.size > 1:
            dist.barrier(self._group)
