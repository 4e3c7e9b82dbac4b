"""A UE's process: its scheme's half made and warmed up, the role run. One torch thread: UEs share a host."""

import os

import torch

from shared.process import run_process
from shared.spec import RoleSpec
from shared.starting import prepare_bundle, refuse_to_start
from userequipment.half import make_receiver
from userequipment.questions import read_questions
from userequipment.role import UserEquipment


def prepare(spec: RoleSpec) -> None:
    """In the process from which this one is forked, once."""
    prepare_bundle(spec)


def main(spec: RoleSpec) -> int:
    """Run a UE to its end; the exit code (2: scheme, bundle or its user's questions cannot be used)."""
    torch.set_num_threads(1)
    config = spec.config
    try:
        half = make_receiver(spec, _questions(spec))
    except (ValueError, OSError) as error:
        return refuse_to_start(spec, error)

    def make_role(spec: RoleSpec) -> UserEquipment:
        half.warm_up(config.channel.snr_db_of(spec.user))
        return UserEquipment(spec, half, half.fingerprint, os.getpid())

    return run_process(spec, make_role)


def _questions(spec: RoleSpec) -> dict[int, tuple[str, ...]]:
    """What this user asks here; a testbed that stays up has no workload."""
    if spec.config.question_at == "bs" or not spec.workload_path.exists():
        return {}
    return read_questions(spec.workload_path, spec.user, spec.config.limits)
