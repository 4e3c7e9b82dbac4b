"""Training on several workers by Ray Train. With `launch.cluster` the only module that imports Ray.

Every worker runs the same function with its own `Team`; gradients are averaged by torch.distributed. One
worker needs no Ray: it is this process.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launch.errors import LaunchError
from launch.temp_dirs import make_temp_dir
from launch.training.parallel import Team


def run_workers(work: Callable[..., None], workers: int, out: Path, **arguments: Any) -> None:
    """Run `work(team, **arguments)` on `workers` workers of a Ray of its own.

    Raises:
        LaunchError: Ray is missing, or a worker failed; what it said is in the message.
    """
    if workers == 1:
        work(Team(0, 1), **arguments)
        return
    from launch.cluster import require_ray

    require_ray()
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    temp_dir = make_temp_dir("ray")
    cuda = _cuda()
    ray.init(address="local", num_cpus=workers, include_dashboard=False, _temp_dir=str(temp_dir))
    try:
        TorchTrainer(
            _worker,
            train_loop_config={"work": work, "arguments": arguments},
            torch_config=TorchConfig(backend="nccl" if cuda else "gloo"),
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=cuda),
            run_config=RunConfig(
                name="train", storage_path=str(temp_dir / "results"), failure_config=FailureConfig(0)
            ),
        ).fit()
    except ray.exceptions.RayError as error:
        raise LaunchError(f"a training worker failed: {str(error).strip().splitlines()[-1]}") from error
    finally:
        ray.shutdown()
        shutil.rmtree(temp_dir, ignore_errors=True)


def _worker(config: dict[str, Any]) -> None:
    import ray.train
    import torch

    torch.set_num_threads(1)
    context = ray.train.get_context()
    config["work"](Team(context.get_world_rank(), context.get_world_size()), **config["arguments"])


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()
