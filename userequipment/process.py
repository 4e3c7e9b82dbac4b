"""A UE's process: its replica loaded and warmed up, the role run. One torch thread: UEs share a host."""

import os

import numpy as np
import torch

from shared.air import side_code, transport
from shared.process import run_process
from shared.semantic.bundle import BundleError
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.spec import RoleSpec
from shared.starting import load_bundle, pick_device, refuse_to_start
from userequipment.pipeline import RequestPipeline
from userequipment.questions import QuestionError, read_questions
from userequipment.role import UserEquipment

_WARM_UP_TOKENS = 4


def main(spec: RoleSpec) -> int:
    """Run a UE to its end; the exit code (2: the bundle or its user's questions cannot be used)."""
    torch.set_num_threads(1)
    config = spec.config
    try:
        questions = _questions(spec)
        bundle = load_bundle(config.bundle, "receiver")
        receiver = SemanticReceiver(
            bundle, config.split_layer, pick_device(config.device), config.channel.codec
        )
    except (BundleError, QuestionError, OSError) as error:
        return refuse_to_start(spec, error)

    def make_role(spec: RoleSpec) -> UserEquipment:
        warm_up(receiver)
        if config.channel.mode == "digital":
            warm_up_transport(config.channel.snr_db_of(spec.user))
        if config.channel.side_info == "ldpc":
            warm_up_side_code(config.channel.snr_db_of(spec.user))
        pipeline = RequestPipeline(config, receiver, questions=questions)
        return UserEquipment(spec, pipeline, receiver.fingerprint, os.getpid())

    return run_process(spec, make_role)


def _questions(spec: RoleSpec) -> dict[int, tuple[str, ...]]:
    """What this user asks here; a testbed that stays up has no workload."""
    if spec.config.question_at == "bs" or not spec.workload_path.exists():
        return {}
    return read_questions(spec.workload_path, spec.user, spec.config.limits)


def warm_up_transport(snr_db: float) -> None:
    """One block that nobody sent."""
    mcs, n_bits = transport.mcs_at(snr_db), 1_000
    uses = transport.uses_of(n_bits, mcs)
    transport.decode([transport.Copy(0, np.ones(uses, np.complex64), np.ones(uses, np.float32))], n_bits, mcs)


def warm_up_side_code(snr_db: float) -> None:
    """One map that nobody sent: the library behind the code takes seconds to begin."""
    uses = side_code.uses_of(side_code.BLOCK_BITS[0], snr_db)
    side_code.decode([(np.ones(uses, np.complex64), np.ones(uses, np.float32))], snr_db)


def warm_up(receiver: SemanticReceiver) -> None:
    """One answer that nobody asked for, so that the first one is not the slow one."""
    symbols_NU = np.zeros((_WARM_UP_TOKENS, receiver.uses_per_token), np.complex64)
    noise_N = np.ones(_WARM_UP_TOKENS, np.float32)
    receiver.channel_decode(symbols_NU, noise_N, "public")
    text_ND = receiver.channel_decode(symbols_NU, noise_N, "private")
    receiver.answer(
        AnswerRequest(
            task="vqa",
            image_tokens=torch.zeros(receiver.image_length, receiver.width, device=text_ND.device),
            image_state=["received"] * receiver.image_length,
            text_tokens=text_ND,
            text_state=["received"] * _WARM_UP_TOKENS,
            max_new_tokens=2,
        )
    )
