"""The base station's process: its scheme's half made, workload and journal read, the role run."""

import hashlib
import io
import os
from contextlib import suppress
from functools import partial

from PIL import Image

from basestation.group_job import Pipeline
from basestation.half import make_sender
from basestation.pending import PendingStore
from basestation.pipeline import AdmittedRequest
from basestation.recovery import Resume, resume_from
from basestation.role import BaseStation
from basestation.workload_file import WorkloadRequest, load_image_file, read_workload
from shared.process import run_process
from shared.spec import RoleSpec
from shared.starting import prepare_bundle, refuse_to_start

_WARM_UP_PIXELS = 128


def prepare(spec: RoleSpec) -> None:
    """In the process from which this one is forked, once."""
    prepare_bundle(spec)


def main(spec: RoleSpec) -> int:
    """Run the base station to its end; the exit code (2: scheme, bundle or workload cannot be used)."""
    config = spec.config
    try:
        half = make_sender(spec)
        workload = _workload(spec)
        resume = _resume(spec)
    except (ValueError, OSError) as error:
        return refuse_to_start(spec, error)

    def make_role(spec: RoleSpec) -> BaseStation:
        warm_up(half)
        load_image = partial(load_image_file, base=spec.run_dir, limits=config.limits)
        pending = PendingStore(spec.run_dir / "pending", config.limits)
        return BaseStation(spec, half, workload, half.fingerprint, load_image, pending, os.getpid(), resume)

    return run_process(spec, make_role)


def warm_up(pipeline: Pipeline) -> None:
    """One group that nobody asked for, so that the first one is not the slow one.

    A scheme that refuses it, as its picture does not fit a budget, begins all the same.
    """
    file = io.BytesIO()
    Image.new("RGB", (_WARM_UP_PIXELS, _WARM_UP_PIXELS)).save(file, "PNG")
    image = file.getvalue()
    key = hashlib.sha256(image).hexdigest()
    with suppress(ValueError):
        pipeline.run(0, [AdmittedRequest("warm-up", 0, "vqa", "how many", image, key)])


def _workload(spec: RoleSpec) -> list[WorkloadRequest]:
    """A testbed that stays up has none."""
    return read_workload(spec.workload_path) if spec.workload_path.exists() else []


def _resume(spec: RoleSpec) -> Resume:
    """What an earlier incarnation left, if there was one."""
    if not spec.journal_path.exists():
        return Resume()
    with spec.journal_path.open("rb") as journal:
        return resume_from(journal)
