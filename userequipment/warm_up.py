"""Work that nobody asked for, at the start of a process: the first of each kind is the slow one."""

import numpy as np
import torch

from shared.air import side_code, transport
from shared.config import ChannelConfig
from shared.semantic.receiver import AnswerRequest, SemanticReceiver

_TOKENS = 4


def warm_up_air(channel: ChannelConfig, snr_db: float, coded: bool) -> None:
    """`coded`: frames carry coded bits. The library behind the codes takes seconds to begin."""
    if coded:
        warm_up_transport(snr_db)
    if channel.side_info == "ldpc":
        warm_up_side_code(snr_db)


def warm_up_transport(snr_db: float) -> None:
    """One block that nobody sent."""
    mcs, n_bits = transport.mcs_at(snr_db), 1_000
    uses = transport.uses_of(n_bits, mcs)
    transport.decode([transport.Copy(0, np.ones(uses, np.complex64), np.ones(uses, np.float32))], n_bits, mcs)


def warm_up_side_code(snr_db: float) -> None:
    """One map that nobody sent."""
    uses = side_code.uses_of(side_code.BLOCK_BITS[0], snr_db)
    side_code.decode([(np.ones(uses, np.complex64), np.ones(uses, np.float32))], snr_db)


def warm_up_receiver(receiver: SemanticReceiver) -> None:
    """One answer."""
    symbols_NU = np.zeros((_TOKENS, receiver.uses_per_token), np.complex64)
    noise_N = np.ones(_TOKENS, np.float32)
    receiver.channel_decode(symbols_NU, noise_N, "public")
    text_ND = receiver.channel_decode(symbols_NU, noise_N, "private")
    receiver.answer(
        AnswerRequest(
            task="vqa",
            image_tokens=torch.zeros(receiver.image_length, receiver.width, device=text_ND.device),
            image_state=["received"] * receiver.image_length,
            text_tokens=text_ND,
            text_state=["received"] * _TOKENS,
            max_new_tokens=2,
        )
    )
