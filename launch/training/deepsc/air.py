"""What the air does to one part (an image, a text) of every row of a step, with gradients.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension. SNRs and fading are drawn as for M4SC (`launch.training.draws`); with a `harshness`
below 1 more kindly, and with 0 all is AWGN of the best SNR, nothing is lost and all is sent.

Shapes: B rows, N tokens (words or patches), U channel uses a token, R = 2 U real numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from channel_emulator.physics.differentiable import transmit
from launch.training.draws import RAYLEIGH, SNR_DB
from launch.training.loop import Rngs, normal
from shared.air.symbol_frames import MOST_USES
from shared.deepsc.channel import least_squares, to_complex, to_reals, unit_power
from shared.rate import EIGHTHS, prefix_uses

LOSSES: Final = 0.15
"""The share of parts of which frames are lost, each with a chance that is drawn evenly from 0 to 1."""
WHOLE: Final = 0.4
"""The share of images of which all channel uses a patch are sent; of the others a prefix."""


@dataclass(frozen=True, slots=True)
class Air:
    """h and N0 of every row."""

    gain_B: Tensor
    noise_variance_B: Tensor

    def rows(self, rows: Sequence[int]) -> "Air":
        return Air(self.gain_B[list(rows)], self.noise_variance_B[list(rows)])


def draw_air(rngs: Rngs, harshness: float = 1.0) -> Air:
    """One SNR a row, and to a share of them one Rayleigh h."""
    fading = harshness * RAYLEIGH
    gains = [complex(*rng.normal(size=2)) / 2**0.5 if rng.random() < fading else 1.0 for rng in rngs]
    least_db, most_db = SNR_DB
    snrs_db = [rng.uniform(most_db - harshness * (most_db - least_db), most_db) for rng in rngs]
    return Air(
        torch.tensor(gains, dtype=torch.complex64),
        torch.tensor([10.0 ** (-snr_db / 10.0) for snr_db in snrs_db], dtype=torch.float32),
    )


def fixed_air(rows: int, snr_db: float) -> Air:
    """AWGN of one SNR."""
    return Air(torch.ones(rows, dtype=torch.complex64), torch.full((rows,), 10.0 ** (-snr_db / 10.0)))


def draw_eighths(rngs: Rngs, harshness: float = 1.0) -> list[int]:
    """How much of each image's channel uses is sent."""
    whole = 1.0 - harshness * (1.0 - WHOLE)
    return [EIGHTHS if rng.random() < whole else int(rng.integers(1, EIGHTHS + 1)) for rng in rngs]


def sent_of(there_BN: Tensor, uses: int, eighths: Sequence[int]) -> Tensor:
    """1 where a channel use is sent, [B, N, U]: those of tokens that are there, up to a prefix."""
    most_B = torch.tensor([prefix_uses(uses, share) for share in eighths])
    return (there_BN[..., None] & (torch.arange(uses) < most_B[:, None, None])).float()


def draw_lost(rngs: Rngs, tokens: int, uses: int, harshness: float = 1.0) -> Tensor:
    """1 where a token arrives, 0 where its frame is lost, [B, N, 1]."""
    per_frame = max(1, MOST_USES // uses)
    frames, losses = -(-tokens // per_frame), harshness * LOSSES
    arrived = [rng.random(frames) >= (rng.random() if rng.random() < losses else 0.0) for rng in rngs]
    return torch.from_numpy(np.stack(arrived)).repeat_interleave(per_frame, 1)[:, :tokens, None].float()


def through(reals_BNR: Tensor, sent_BNU: Tensor, arrived_BN1: Tensor, air: Air, rngs: Rngs) -> Tensor:
    """What the receiver's channel decoder is given of what was sent, [B, N, R]."""
    sent = unit_power(to_complex(reals_BNR.float()), sent_BNU)
    noise_BNUC = normal(rngs, *sent.shape[1:], 2) * 0.5**0.5
    gain_B11, n0_B11 = air.gain_B[:, None, None], air.noise_variance_B[:, None, None]
    received = transmit(sent, gain_B11, n0_B11, torch.view_as_complex(noise_BNUC))
    heard = least_squares(received / gain_B11, n0_B11 / gain_B11.abs().square())
    return to_reals(heard * sent_BNU * arrived_BN1)
