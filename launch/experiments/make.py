"""A variant's bundle, trained in a process of its own.

So that compiled code and pictures of one variant do not stay while the next is trained, and the command,
which starts runs later, has itself computed nothing.
"""

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from launch.errors import Interrupted, LaunchError
from launch.training.run import Job, train_bundle
from launch.training.stop import train_apart
from launch.user_errors import CUT_SHORT
from shared.semantic.manifest import MANIFEST_FILE

_JOBS = TypeAdapter(Job)
AGAIN = "the same command goes on"


def bundle_folder(job: Job) -> Path:
    return job.out / "bundle"


def is_made(job: Job) -> bool:
    """Bundles appear whole, so one that is there is finished; what is wrong in it, its readers say."""
    return (bundle_folder(job) / MANIFEST_FILE).exists()


def make_bundle(job: Job, workers: int) -> None:
    """Train what is not trained yet, and write the bundle. Lines about it go to standard error.

    Raises `LaunchError` where training fails, `Interrupted` on a stop signal: the same call then goes on from
    the last checkpoint. Main thread only.
    """
    options = {"job": _JOBS.dump_python(job, mode="json"), "workers": workers}
    code = train_apart(f"{__name__}:train_told", options, job.out, AGAIN)
    if code == CUT_SHORT:
        raise Interrupted(f"{job.out.name}: stopped; {AGAIN}")
    if code:
        raise LaunchError(f"{job.out.name}: training failed (exit code {code}), see above")


def train_told(job: dict[str, Any], workers: int) -> None:
    """The child's side of `make_bundle`."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # standard output is the command's, for --json
    told = _JOBS.validate_python(job)
    train_bundle(told, workers, bundle_folder(told))
