"""The channel encoder and decoder of one stream: linear maps between token vectors and channel symbols.

A channel use is one complex symbol, that is two real values. SNR is average received Es/N0 per channel use;
unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10), N0/2 per real dimension. The encoder scales every
token so that sum |x|^2 equals its channel uses exactly. The decoder is told the noise variance of every
token.

Shapes: N tokens, D token width, U channel uses a token.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

Stream = Literal["public", "private"]
STREAMS: tuple[Stream, ...] = ("public", "private")


def normalise_power(reals_NR: Tensor) -> Tensor:
    """Scale rows so that the sum of squares is half their length: one per complex symbol."""
    uses = reals_NR.shape[-1] // 2
    return reals_NR * (uses**0.5 / reals_NR.norm(dim=-1, keepdim=True).clamp_min(1e-12))


def to_symbols(reals_NR: Tensor) -> np.ndarray:
    """Real rows to complex64 [N, U]: even columns in phase, odd columns in quadrature."""
    rows = np.ascontiguousarray(reals_NR.detach().float().cpu().numpy())
    symbols: np.ndarray = rows.view(np.complex64)
    return symbols


def from_symbols(symbols_NU: np.ndarray) -> Tensor:
    """Inverse of `to_symbols`."""
    rows = np.ascontiguousarray(symbols_NU, dtype=np.complex64)
    return torch.from_numpy(rows.view(np.float32).copy())


class ChannelEncoder(nn.Module):
    """Token vectors [N, D] to 2 U reals of exact power U a token."""

    def __init__(self, width: int, uses: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * uses)

    def forward(self, tokens_ND: Tensor) -> Tensor:
        return normalise_power(self.linear(tokens_ND))


class ChannelDecoder(nn.Module):
    """Noisy reals to token vectors. The LMMSE gain of a unit-power symbol, 1 / (1 + N0), comes first.

    The noise variance is that of every token, [N], or of each of its channel uses, [N, U].
    """

    def __init__(self, width: int, uses: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * uses, width)
        self.noise_D = nn.Parameter(torch.zeros(width))

    def forward(self, reals_NR: Tensor, noise_variance: Tensor) -> Tensor:
        gain = 1.0 / (1.0 + noise_variance)
        if gain.ndim == reals_NR.ndim:  # both real dimensions of a use alike
            gain_NR, gain_N1 = gain.repeat_interleave(2, -1), gain.mean(-1, keepdim=True)
        else:
            gain_NR = gain_N1 = gain.unsqueeze(-1)
        decoded: Tensor = self.linear(reals_NR * gain_NR) + (1.0 - gain_N1) * self.noise_D
        return decoded


class ChannelCodec(nn.Module):
    """Both streams and the learned vector that stands for a lost token."""

    def __init__(self, width: int, uses: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({stream: ChannelEncoder(width, uses) for stream in STREAMS})
        self.decoders = nn.ModuleDict({stream: ChannelDecoder(width, uses) for stream in STREAMS})
        self.erasure_D = nn.Parameter(torch.zeros(width))
