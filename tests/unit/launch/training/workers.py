"""Worker processes forked from a server that has imported the training, and has never computed."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import torch.multiprocessing as mp

multiprocessing.set_forkserver_preload(["launch.training.run", "launch.training.published"])


def start_workers(work: Callable[..., None], *arguments: Any, count: int = 2) -> None:
    """Run `work(rank, *arguments)` in `count` processes; raises what one of them raises."""
    mp.start_processes(work, arguments, nprocs=count, start_method="forkserver")
