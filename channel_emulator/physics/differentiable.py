"""The same channel on tensors, with gradients, for training. Needs PyTorch; the emulator never imports it.

Unit average transmit power; E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB;
N0 = 10^(-SNR/10), N0/2 per real dimension. A test holds these formulas to the NumPy ones of the emulator.
"""

import torch
from torch import Tensor


def rayleigh_gains(
    shape: tuple[int, ...], generator: torch.Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Independent h ~ CN(0, 1), complex64 of `shape`: E|h|² = 1, 1/2 per real dimension."""
    # torch.randn of a complex type has unit variance per complex number.
    return torch.randn(shape, dtype=torch.complex64, generator=generator, device=device)


def transmit(x: Tensor, gain: Tensor | complex, n0: Tensor | float, noise: Tensor) -> Tensor:
    """y = h x + sqrt(N0) w for complex `x` [..., uses], with `noise` w ~ CN(0, 1) of the same shape.

    `gain` and `n0` broadcast to x. N0 per channel use, N0/2 per real dimension. Differentiable in x, gain
    and n0 > 0.
    """
    return gain * x + torch.as_tensor(n0, device=x.device).sqrt() * noise


def awgn(x: Tensor, n0: Tensor | float, generator: torch.Generator | None = None) -> Tensor:
    """x + n, n ~ CN(0, N0) with N0/2 per real dimension; `n0` broadcasts to complex `x`."""
    return transmit(x, 1.0, n0, _unit_noise(x, generator))


def block_rayleigh(
    x: Tensor, n0: Tensor | float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """y = h x + n with one h ~ CN(0, 1) per row of complex `x` [..., uses], and h [..., 1].

    E|h|² = 1; n ~ CN(0, N0), N0/2 per real dimension; `n0` broadcasts to x.
    """
    gain = rayleigh_gains((*x.shape[:-1], 1), generator, x.device).to(x.dtype)
    return transmit(x, gain, n0, _unit_noise(x, generator)), gain


def _unit_noise(x: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(x.shape, dtype=x.dtype, generator=generator, device=x.device)
