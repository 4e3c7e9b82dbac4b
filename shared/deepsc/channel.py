"""The channel code of DeepSC and DeepSC-VQA: dense layers between features and real numbers.

A channel use is one complex symbol; unit average transmit power; E|h|^2 = 1; SNR is average received
Es/N0 per channel use in dB; N0 = 10^(-SNR/10), N0/2 per real dimension. What a part consists of (the
patches of an image, the words of a text) is sent times one amplitude, so that its sum |x|^2 equals its
channel uses; the receiver needs not know it. It multiplies what comes out of the equaliser, whose noise
is v, by 1 / (1 + v): for symbols of unit power the least mean square error. What was lost or never sent
has v = infinity, and so becomes zeros.

Shapes: B rows, N tokens (words or patches), D width, U channel uses a token, R = 2 U real numbers.
"""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Array = TypeVar("Array", Tensor, np.ndarray)
_LEAST = 1e-9


class ChannelEncoder(nn.Sequential):
    """Features [..., D] to R real numbers each, of any power (Xie et al. 2021: 128 -> 256 -> 16)."""

    def __init__(self, width: int, hidden: int, uses: int) -> None:
        super().__init__(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 2 * uses))


class ChannelDecoder(nn.Module):
    """R noisy real numbers to features [..., D]: the encoder's layers in reverse, then normalised."""

    def __init__(self, width: int, hidden: int, uses: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * uses, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, reals_NR: Tensor) -> Tensor:
        features: Tensor = self.norm(self.layers(reals_NR))
        return features


def unit_power(symbols_BNU: Tensor, sent_BNU: Tensor) -> Tensor:
    """What is sent of each row [N, U], at unit average power, else zeros. `sent_BNU` is 0 or 1."""
    kept = symbols_BNU * sent_BNU
    energy_B = torch.view_as_real(kept).square().sum((1, 2, 3))
    amplitude_B = (sent_BNU.sum((1, 2)) / energy_B.clamp_min(_LEAST)).sqrt()
    return kept * amplitude_B[:, None, None]


def least_squares(symbols: Array, noise_variance: Array) -> Array:
    """Equalised symbols with noise on them to their estimates of least mean square error."""
    return symbols / (1.0 + noise_variance)


def to_complex(reals_NR: Tensor) -> Tensor:
    """[..., R] to [..., U]: even columns in phase, odd ones in quadrature."""
    return torch.view_as_complex(reals_NR.unflatten(-1, (-1, 2)).contiguous())


def to_reals(symbols_NU: Tensor) -> Tensor:
    """Inverse of `to_complex`."""
    return torch.view_as_real(symbols_NU).flatten(-2)
