"""Training on several workers by Ray Train. With `launch.cluster` the only module that imports Ray.

Every worker runs the same function with its own `Team`; gradients are averaged by torch.distributed. One
worker needs no Ray: it is this process.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from launch.errors import Interrupted, LaunchError
from launch.training.display import shown
from launch.training.parallel import Team
from launch.training.stop import asked_to_stop

#: A worker waits so long for the others: those whose half of phase 0 is done, for the other half. One that
#: dies is noticed by Ray.
WAIT_S: Final = 86_400
#: Workers may take so long to start. Ray's own 60 s are not enough beside programs of a higher priority, and
#: it would start them again and again without a word.
START_S: Final = 600


def run_workers(work: Callable[..., None], workers: int, out: Path, **arguments: Any) -> None:
    """Run `work(team, **arguments)` on `workers` workers of a Ray of its own.

    Raises:
        Interrupted: a stop file ended it. LaunchError: Ray is missing, or a worker failed; what it said is in
            the message.
    """
    with shown(out):
        if workers == 1:
            work(Team(0, 1), **arguments)
        else:
            _run_with_ray(work, workers, out, arguments)


def _run_with_ray(work: Callable[..., None], workers: int, out: Path, arguments: dict[str, Any]) -> None:
    from launch.cluster import private_ray, require_ray

    require_ray()
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", str(START_S))
    # Before Ray is imported: it reads its environment then.
    temp_dir = private_ray(workers, log_to_driver=False, logging_level=logging.ERROR)
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchConfig, TorchTrainer

    try:
        TorchTrainer(
            _worker,
            train_loop_config={"work": work, "arguments": arguments},
            # Gloo: training is on CPUs, whatever else there is.
            torch_config=TorchConfig(backend="gloo", timeout_s=WAIT_S),
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=False),
            run_config=RunConfig(
                name="train", storage_path=str(temp_dir / "results"), failure_config=FailureConfig(0)
            ),
        ).fit()
        if asked_to_stop(out):
            raise Interrupted("stopped, with a checkpoint")
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
