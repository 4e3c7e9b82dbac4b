"""One draw of the air for a training batch: SNR, fading, noise, what is lost, what is not sent.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension.

Shapes: B sequences, T tokens, U channel uses a token.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from launch.training.loop import Rngs
from launch.training.packing import Batch
from shared.semantic.masks import IMAGE, TEXT

SNR_DB: Final = (-5.0, 20.0)
RAYLEIGH: Final = 0.25
"""The share of sequences under Rayleigh block fading, one h a sequence; the others have h = 1."""
FRAME_TOKENS: Final = 16
PUBLIC_IMAGE, PUBLIC_TEXT = 0.6, 0.2
WHOLE_IMAGE, WHOLE_TEXT = 0.6, 0.7
"""The shares of sequences whose image, whose text is sent with all channel uses a token, not a prefix."""
ALL_TOKENS: Final = 0.6
"""The share of sequences of whose image all tokens are sent."""
LEAST_USES, LEAST_TOKENS = 2, 8


@dataclass(frozen=True, slots=True)
class Air:
    """What the channel does to a batch."""

    gain_B: Tensor
    """h of each sequence, complex."""
    noise_variance_B: Tensor
    """N0 of each sequence, before equalisation."""
    noise_BTU: Tensor
    """Unit complex noise, CN(0, 1)."""
    erased_BT: Tensor
    kept_B: Tensor
    """How many image tokens are sent, the most salient ones."""
    image_uses_B: Tensor
    text_uses_B: Tensor
    """Channel uses of each token that are sent: a prefix of all."""
    image_public_B: Tensor
    text_public_B: Tensor


def draw_air(batch: Batch, rngs: Rngs, uses: int) -> Air:
    """Random SNR and fading; lost tokens (single ones, whole frames, whole images); how much is sent."""
    length = batch.segments_BT.shape[1]
    images, texts = (batch.segments_BT == IMAGE).numpy(), (batch.segments_BT == TEXT).numpy()
    lost = [_losses(image, text, rng) for image, text, rng in zip(images, texts, rngs, strict=True)]
    gains = [complex(*rng.normal(size=2)) / 2**0.5 if rng.random() < RAYLEIGH else 1.0 for rng in rngs]
    return Air(
        torch.tensor(gains, dtype=torch.complex64),
        torch.tensor([10.0 ** (-rng.uniform(*SNR_DB) / 10) for rng in rngs], dtype=torch.float32),
        unit_noise(rngs, length, uses),
        torch.from_numpy(np.stack(lost)),
        torch.tensor([_kept(int(image.sum()), rng) for image, rng in zip(images, rngs, strict=True)]),
        torch.tensor([_prefix(uses, WHOLE_IMAGE, rng) for rng in rngs]),
        torch.tensor([_prefix(uses, WHOLE_TEXT, rng) for rng in rngs]),
        torch.tensor([rng.random() < PUBLIC_IMAGE for rng in rngs]),
        torch.tensor([rng.random() < PUBLIC_TEXT for rng in rngs]),
    )


def fixed_air(batch: Batch, rngs: Rngs, uses: int, snr_db: float, erase: bool = False) -> Air:
    """AWGN of one SNR, image public and text private, all sent, nothing lost; or all image tokens."""
    rows = len(batch.ids_BT)
    return Air(
        torch.ones(rows, dtype=torch.complex64),
        torch.full((rows,), 10.0 ** (-snr_db / 10)),
        unit_noise(rngs, batch.segments_BT.shape[1], uses),
        (batch.segments_BT == IMAGE) & erase,
        (batch.segments_BT == IMAGE).sum(1),
        torch.full((rows,), uses),
        torch.full((rows,), uses),
        torch.ones(rows, dtype=torch.bool),
        torch.zeros(rows, dtype=torch.bool),
    )


def unit_noise(rngs: Rngs, length: int, uses: int) -> Tensor:
    """w ~ CN(0, 1), complex64 [rows, length, uses], each row from its own generator."""
    parts = np.stack([rng.standard_normal((length, uses, 2), np.float32) for rng in rngs]) / np.float32(
        2**0.5
    )
    return torch.view_as_complex(torch.from_numpy(parts))


def _losses(image_T: np.ndarray, text_T: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The tokens of one sequence that are lost."""
    erased = np.zeros(len(image_T), bool)
    kind = rng.random()
    if kind < 0.05:
        erased |= image_T
    elif kind < 0.3:
        erased |= image_T & (rng.random(len(image_T)) < rng.uniform(0, 0.3))
    elif kind < 0.4:
        start = 1 + FRAME_TOKENS * int(rng.integers(-(-int(image_T.sum()) // FRAME_TOKENS) or 1))
        erased[start : start + FRAME_TOKENS] = image_T[start : start + FRAME_TOKENS]
    if rng.random() < 0.15:
        erased |= text_T & (rng.random(len(text_T)) < rng.uniform(0, 0.2))
    return erased


def _kept(tokens: int, rng: np.random.Generator) -> int:
    """Of an image: all, or every so often some, any number on a logarithmic scale."""
    if rng.random() < ALL_TOKENS or tokens <= LEAST_TOKENS:
        return tokens
    return round(np.exp(rng.uniform(np.log(LEAST_TOKENS), np.log(tokens))))


def _prefix(uses: int, whole: float, rng: np.random.Generator) -> int:
    return uses if rng.random() < whole or uses <= LEAST_USES else int(rng.integers(LEAST_USES, uses))
