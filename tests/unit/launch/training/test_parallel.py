"""Teams of several workers, in real processes."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from launch.training.parallel import Team
from tests.unit.launch.training.workers import start_workers

WORKERS = 3


def test_halves_work_apart_and_meet_again(tmp_path: Path) -> None:
    start_workers(in_halves, tmp_path / "meeting", count=WORKERS)


def in_halves(rank: int, meeting: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=WORKERS)
    try:
        team = Team(rank, WORKERS)
        side, own = team.halves()
        assert (side, own.rank, own.size) == ((0, 0, 2), (1, 0, 1), (0, 1, 2))[rank]
        assert own.leads == (rank < 2)
        assert list(own.rows(4)) == ([0, 1, 2, 3] if side else [own.rank, own.rank + 2])

        # By each half alone: the other takes no part in it, nor does it have to be there.
        parameter = nn.Parameter(torch.zeros(2))
        parameter.grad = torch.full((2,), float(rank))
        own.average([parameter])
        assert parameter.grad.tolist() == [1.0, 1.0]  # (0 + 2) / 2, and 1
        shared = torch.tensor([10.0 + rank])
        own.share([shared])
        assert shared.item() == (11.0 if side else 10.0)
        assert own.mean({"loss": float(rank)}) == {"loss": 1.0}
        assert own.follow(rank == 1, True) == (side == 1, True)
        own.wait()

        # And all together.
        assert team.any(rank == 1)
        assert not team.any(False)
        assert team.mean({"loss": float(rank)}) == {"loss": pytest.approx(1.0)}
    finally:
        dist.destroy_process_group()
