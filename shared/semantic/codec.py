"""The channel encoder and decoder of one stream: linear maps between token vectors and channel symbols.

A channel use is one complex symbol, that is two real values. SNR is average received Es/N0 per channel use;
unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10), N0/2 per real dimension.

A code of `token` power scales every token to sum |x|^2 = U. One of `stream` power leaves it to the encoder
how much each token and each value gets: a token that says much, an object, may be sent with more power than
one that says little, a patch of ground. Either way all symbols of a stream are then sent times one amplitude,
which makes sum |x|^2 equal the channel uses, and which the receiver is told. A channel use that was not sent
is decoded as one of infinite noise.

Shapes: N tokens, D token width, U channel uses a token, R = 2 U real values.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

Stream = Literal["public", "private"]
STREAMS: tuple[Stream, ...] = ("public", "private")
Power = Literal["token", "stream"]


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
    """Token vectors [..., D] to R real values each; of `token` power, to exactly U of power a token."""

    def __init__(self, width: int, uses: int, power: Power = "token") -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * uses)
        self.power = power

    def forward(self, tokens_ND: Tensor) -> Tensor:
        reals_NR: Tensor = self.linear(tokens_ND)
        return normalise_power(reals_NR) if self.power == "token" else reals_NR


class ChannelDecoder(nn.Module):
    """Noisy reals to token vectors.

    What comes first is each value's LMMSE gain, P / (P + N0/2), where P is its mean square: 1/2 in a code of
    `token` power, learned in one of `stream` power. What noise takes away is filled up by `noise_D`.
    """

    def __init__(self, width: int, uses: int, power: Power = "token") -> None:
        super().__init__()
        self.linear = nn.Linear(2 * uses, width)
        self.noise_D = nn.Parameter(torch.zeros(width))
        self.log_power_R = nn.Parameter(torch.full((2 * uses,), 0.5).log()) if power == "stream" else None

    def forward(self, reals_NR: Tensor, noise_variance: Tensor) -> Tensor:
        """`noise_variance` (N0 after equalisation, at the encoder's own power; infinite where nothing was
        sent) is that of every token, [...], or of each of its channel uses, [..., U].
        """
        if noise_variance.ndim == reals_NR.ndim:  # both real dimensions of a use alike
            noise_NR = noise_variance.repeat_interleave(2, -1)
        else:
            noise_NR = noise_variance.unsqueeze(-1)
        power_R = reals_NR.new_tensor(0.5) if self.log_power_R is None else self.log_power_R.exp()
        gain_NR = power_R / (power_R + 0.5 * noise_NR)
        lost_N1 = 1.0 - gain_NR.mean(-1, keepdim=True)
        decoded: Tensor = self.linear(reals_NR * gain_NR) + lost_N1 * self.noise_D
        return decoded


class ChannelCodec(nn.Module):
    """Both streams and the learned vector that stands for a lost token."""

    def __init__(self, width: int, uses: int, power: Power = "token") -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({stream: ChannelEncoder(width, uses, power) for stream in STREAMS})
        self.decoders = nn.ModuleDict({stream: ChannelDecoder(width, uses, power) for stream in STREAMS})
        self.erasure_D = nn.Parameter(torch.zeros(width))
