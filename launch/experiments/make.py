"""A variant's bundle, trained in a process of its own.

So that compiled code and pictures of one variant do not stay while the next is trained, and the command,
which starts runs later, has itself computed nothing.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

from launch.bundles.rerun import Interrupted
from launch.errors import LaunchError
from launch.guardian import die_with_parent
from launch.signals import StopSignals
from launch.training.loop import TrainingError
from launch.training.run import Job, train_bundle
from shared.semantic.manifest import MANIFEST_FILE

_END_S = 10.0


def bundle_folder(job: Job) -> Path:
    return job.out / "bundle"


def is_made(job: Job) -> bool:
    """Bundles appear whole, so one that is there is finished; what is wrong in it, its readers say."""
    return (bundle_folder(job) / MANIFEST_FILE).exists()


def make_bundle(job: Job, workers: int) -> None:
    """Train what is not trained yet, and write the bundle. Lines about it go to standard error.

    Raises `LaunchError` where training fails, `Interrupted` on a stop signal: the same call then goes on from
    the last checkpoint.
    """
    process = multiprocessing.get_context("spawn").Process(
        target=_make, args=(job, workers, bundle_folder(job), os.getpid())
    )
    with StopSignals(_stop):
        try:
            process.start()
            process.join()
        finally:
            _end(process)
    if process.exitcode:
        raise LaunchError(f"{job.out.name}: training failed (exit code {process.exitcode}), see above")


def _make(job: Job, workers: int, bundle: Path, parent_pid: int) -> None:
    die_with_parent(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's whole group: the parent ends this process
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        train_bundle(job, workers, bundle)
    except (TrainingError, LaunchError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _stop(number: int) -> None:
    raise Interrupted(f"stopped by {signal.Signals(number).name}")


def _end(process: multiprocessing.process.BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(_END_S)
    if process.is_alive():
        process.kill()
        process.join()
