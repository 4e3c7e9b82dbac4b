"""Own hot path against Sionna's blocks: the same N0 gives the same noise, the same fading statistics."""

import math

import numpy as np
import pytest
import torch

from channel_emulator.physics.fading import rayleigh_gains
from channel_emulator.physics.noise import noise_generator, transmit
from channel_emulator.physics.realisation import constant

N = 2**18

sionna_channel = pytest.importorskip("sionna.phy.channel")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    import sionna.phy

    sionna.phy.config.seed = 1


def _variances(w: np.ndarray) -> tuple[float, float]:
    return float(np.mean(w.real.astype(float) ** 2)), float(np.mean(w.imag.astype(float) ** 2))


@pytest.mark.parametrize("n0", [0.01, 0.1, 1.0, 10.0])
def test_awgn(n0: float) -> None:
    x = np.zeros(N, np.complex64)
    ours = transmit(x, constant(1.0, N), n0, noise_generator(1, 0, 0, 0, 0))
    theirs = sionna_channel.AWGN(precision="single", device="cpu")(torch.from_numpy(x), n0).numpy()
    # Each variance has a relative standard error of sqrt(2/N), their ratio of 2/sqrt(N) = 0.4%.
    for own, reference in zip(_variances(ours), _variances(theirs), strict=True):
        assert own / reference == pytest.approx(1.0, abs=5 * 2 / math.sqrt(N))


def test_flat_rayleigh() -> None:
    generate = sionna_channel.GenerateFlatFadingChannel(1, 1, precision="single", device="cpu")
    theirs = np.abs(generate(N).numpy().ravel().astype(complex)) ** 2
    ours = np.abs(rayleigh_gains(1, 0, N).astype(complex)) ** 2
    assert ours.mean() == pytest.approx(theirs.mean(), abs=5 * math.sqrt(2 / N))
    assert np.mean(ours**2) == pytest.approx(np.mean(theirs**2), abs=5 * math.sqrt(2 * 20 / N))
    # Two-sample Kolmogorov-Smirnov: P(D sqrt(N/2) > 2.5) = 7e-6.
    both = np.sort(np.concatenate([ours, theirs]))
    distance = np.abs(
        np.searchsorted(np.sort(ours), both, "right") - np.searchsorted(np.sort(theirs), both, "right")
    ).max()
    assert distance / N * math.sqrt(N / 2) < 2.5


def test_flat_rayleigh_with_noise() -> None:
    n, n0 = 2**12, 0.1
    channel = sionna_channel.FlatFadingChannel(
        1, 1, add_awgn=True, return_channel=True, precision="single", device="cpu"
    )
    y, h = channel(torch.ones(n, 1, dtype=torch.complex64), n0)
    theirs = float((y.squeeze() - h.squeeze()).abs().double().square().mean())
    gains = rayleigh_gains(1, 0, n)
    received = [
        transmit(np.ones(1, np.complex64), constant(complex(g), 1), n0, noise_generator(1, 0, i, 0, 0))[0]
        for i, g in enumerate(gains)
    ]
    ours = float(np.mean(np.abs(np.array(received) - gains).astype(float) ** 2))
    assert ours / theirs == pytest.approx(1.0, abs=5 * math.sqrt(2 / n))
