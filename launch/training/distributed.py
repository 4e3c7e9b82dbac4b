"""Training on several workers by Ray Train. With `launch.cluster` the only module that imports Ray.

Every worker runs the same function with its own `Team`; gradients are averaged by torch.distributed. One
worker needs no Ray: it is this process.
"""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launch.errors import Interrupted, LaunchError
from launch.training.parallel import Team
from launch.training.stop import asked_to_stop


def run_workers(work: Callable[..., None], workers: int, out: Path, **arguments: Any) -> None:
    """Run `work(team, **arguments)` on `workers` workers of a Ray of its own.

    Raises:
        Interrupted: a stop file ended it. LaunchError: Ray is missing, or a worker failed; what it said is in
            the message.
    """
    if workers == 1:
        work(Team(0, 1), **arguments)
        return
    from launch.cluster import private_ray, require_ray

    require_ray()
    temp_dir = private_ray(workers)  # before Ray is imported: it reads its environment then
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchConfig, TorchTrainer

    try:
        TorchTrainer(
            _worker,
            train_loop_config={"work": work, "arguments": arguments},
            torch_config=TorchConfig(backend="gloo"),  # training is on CPUs, whatever else there is
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=False),
            run_config=RunConfig(
                name="train", storage_path=str(temp_dir / "results"), failure_config=FailureConfig(0)
            ),
        ).fit()
        if asked_to_stop(out):
            raise Interrupted("stopped, with a checkpoint; --resume goes on")
    except (ray.exceptions.RayError, TrainingFailedError) as error:
        raise LaunchError(f"a training worker failed: {_reason(error)}") from error
    finally:
        ray.shutdown()
        shutil.rmtree(temp_dir, ignore_errors=True)


def _worker(config: dict[str, Any]) -> None:
    import ray.train
    import torch

    torch.set_num_threads(1)
    context = ray.train.get_context()
    team = Team(context.get_world_rank(), context.get_world_size())
    with contextlib.suppress(Interrupted):  # all workers stop at the same step: that is no failure to Ray
        config["work"](team, **config["arguments"])


def _reason(error: Exception) -> str:
    """What the first worker that failed said, else what Ray said last."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    said = str(next(iter(failures.values()), error)).strip().splitlines()
    return said[-1] if said else type(error).__name__
