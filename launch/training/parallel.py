"""Data-parallel training on the cores of one machine: one process and one thread a core, gradients averaged.

Two single-threaded processes get more out of two cores than one process with two threads at these sizes, and
do not stall when somebody else uses the machine.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

    def average(self, parameters: list[nn.Parameter], progress: float) -> float:
        """Average all gradients; returns the leader's `progress`, so that all stop at the same step."""
        if self.size == 1:
            return progress
        held = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        told = torch.tensor([progress * self.size if self.leads else 0.0])
        flat = torch.cat([told, *(g.reshape(-1) for g in held)])
        dist.all_reduce(flat)
        flat /= self.size
        start = 1
        for parameter, grad in zip(parameters, held, strict=True):
            parameter.grad = flat[start : start + grad.numel()].view_as(grad)
            start += grad.numel()
        return float(flat[0])

    def share(self, tensors: list[Tensor]) -> None:
        """Give everybody the leader's values."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)


def run_team(work: Callable[..., None], size: int, *arguments: Any) -> None:
    """Run `work(team, *arguments)` in `size` processes. Raises SystemExit when one of them fails."""
    if size == 1:
        work(Team(0, 1), *arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        members = [
            context.Process(target=_member, args=(work, rank, size, Path(folder) / "meet", arguments))
            for rank in range(size)
        ]
        for member in members:
            member.start()
        for member in members:
            member.join()
        if any(member.exitcode for member in members):
            raise SystemExit(f"training stopped: exit codes {[m.exitcode for m in members]}")


def _member(work: Callable[..., None], rank: int, size: int, meet: Path, arguments: tuple[Any, ...]) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meet.as_uri(), rank=rank, world_size=size)
    try:
        work(Team(rank, size), *arguments)
    finally:
        dist.destroy_process_group()
