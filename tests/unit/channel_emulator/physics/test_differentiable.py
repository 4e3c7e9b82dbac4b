"""The tensors' channel: the same formulas as the emulator's, with gradients."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from channel_emulator.physics import differentiable
from channel_emulator.physics.fading import rayleigh_gains
from channel_emulator.physics.noise import noise_generator, transmit
from channel_emulator.physics.realisation import constant

N = 2**17


def test_both_twins_say_the_same_of_the_same_randomness() -> None:
    n, n0 = 40_000, 0.3
    x = noise_generator(1, 0, 0, 0, 0).standard_normal(2 * n, dtype=np.float32).view(np.complex64)
    gain = complex(rayleigh_gains(1, 0, 1)[0])
    ours = transmit(x, constant(gain, n), n0, noise_generator(1, 0, 0, 1, 0))
    unit = transmit(np.zeros(n, np.complex64), constant(1.0, n), 1.0, noise_generator(1, 0, 0, 1, 0))
    theirs = differentiable.transmit(torch.from_numpy(x), gain, n0, torch.from_numpy(unit))
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-5, atol=1e-5)


def test_moments_are_those_of_the_emulator() -> None:
    source = torch.Generator().manual_seed(1)
    h = differentiable.rayleigh_gains((N,), source).numpy().astype(complex)
    assert abs(np.mean(np.abs(h) ** 2) - 1) < 5 / math.sqrt(N)
    assert abs(np.mean(np.abs(h) ** 4) - 2) < 5 * math.sqrt(20 / N)
    w = differentiable.awgn(torch.zeros(N, dtype=torch.complex64), 0.5, source).numpy()
    for part in (w.real, w.imag):
        assert abs(np.mean(part.astype(float) ** 2) - 0.25) < 5 * 0.25 * math.sqrt(2 / N)


def test_one_gain_a_row_and_a_noise_level_a_row() -> None:
    source = torch.Generator().manual_seed(2)
    x = torch.ones(3, 20_000, dtype=torch.complex64)
    n0 = torch.tensor([[0.01], [0.1], [1.0]])
    y, h = differentiable.block_rayleigh(x, n0, source)
    assert h.shape == (3, 1)
    assert len(set(h.flatten().tolist())) == 3
    measured = (y - h).abs().double().square().mean(dim=1)
    assert torch.all((measured / n0[:, 0] - 1).abs() < 5 / math.sqrt(20_000))


def test_gradients_pass_to_signal_gain_and_noise_level() -> None:
    source = torch.Generator().manual_seed(3)
    noise = torch.randn(4, dtype=torch.complex128, generator=source)
    inputs = (
        torch.randn(4, dtype=torch.complex128, generator=source).requires_grad_(),
        torch.randn(1, dtype=torch.complex128, generator=source).requires_grad_(),
        torch.tensor([0.3], dtype=torch.float64, requires_grad=True),
    )
    assert torch.autograd.gradcheck(lambda x, h, n0: differentiable.transmit(x, h, n0, noise), inputs)


def test_the_emulator_process_loads_no_model_code() -> None:
    code = (
        "import sys, channel_emulator.process, channel_emulator.role;"
        "heavy = {'torch', 'transformers', 'shared.semantic', 'ray', 'sionna'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_awgn_puts_half_of_n0_on_each_real_dimension() -> None:
    source = torch.Generator().manual_seed(1)
    noise = differentiable.awgn(torch.zeros(80_000, dtype=torch.complex64), torch.tensor(0.25), source)
    for part in (noise.real, noise.imag):
        assert float(part.var()) == pytest.approx(0.125, rel=0.02)
