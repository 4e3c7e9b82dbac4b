"""The base station's process: bundle, workload and journal read, the model warmed up, the role run."""

import hashlib
import io
import os
from functools import partial

from PIL import Image

from basestation.pending import PendingStore
from basestation.pipeline import AdmittedRequest, GroupPipeline
from basestation.recovery import Resume, resume_from
from basestation.role import BaseStation
from basestation.workload_file import WorkloadError, WorkloadRequest, load_image_file, read_workload
from shared.config import RunConfig
from shared.process import run_process
from shared.rate_table import RateTableError, read_rates
from shared.semantic.bundle import Bundle, BundleError
from shared.semantic.sender import SemanticSender
from shared.spec import RoleSpec
from shared.starting import load_bundle, pick_device, refuse_to_start

_WARM_UP_PIXELS = 128


def main(spec: RoleSpec) -> int:
    """Run the base station to its end; the exit code (2: bundle or workload cannot be used)."""
    config = spec.config
    try:
        bundle = load_bundle(config.bundle, "sender")
        config = _at_its_rate(config, bundle)
        sender = SemanticSender(bundle, config.split_layer, pick_device(config.device), config.channel.codec)
        workload = _workload(spec)
        resume = _resume(spec)
    except (BundleError, RateTableError, WorkloadError, OSError) as error:
        return refuse_to_start(spec, error)

    def make_role(spec: RoleSpec) -> BaseStation:
        pipeline = GroupPipeline(config, sender)
        warm_up(pipeline)
        load_image = partial(load_image_file, base=spec.run_dir, limits=config.limits)
        pending = PendingStore(spec.run_dir / "pending", config.limits)
        return BaseStation(
            spec, pipeline, workload, sender.fingerprint, load_image, pending, os.getpid(), resume
        )

    return run_process(spec, make_role)


def _at_its_rate(config: RunConfig, bundle: Bundle) -> RunConfig:
    """With a target turned into operating points. Raises `RateTableError`."""
    if config.rate.target is None:
        return config
    table = read_rates(bundle.path, bundle.fingerprint)
    return config.model_copy(update={"rate": table.meet(config.rate, config.channel, config.users)})


def warm_up(pipeline: GroupPipeline) -> None:
    """One group that nobody asked for, so that the first one is not the slow one."""
    file = io.BytesIO()
    Image.new("RGB", (_WARM_UP_PIXELS, _WARM_UP_PIXELS)).save(file, "PNG")
    image = file.getvalue()
    key = hashlib.sha256(image).hexdigest()
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
