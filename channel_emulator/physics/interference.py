"""Transmitters elsewhere: bursts of Gaussian symbols on top of what a user receives.

They belong to the air: an interferer's signal is a function of seed, interferer and the downlink's
channel-use clock, the same for every user who hears it, so a frame that is sent again meets another piece of
it. While it is on, its average power is 10^(-SIR/10), SIR in dB against unit average received power.
Receivers are told nothing of it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.normals import fill_complex_normals
from shared.channel_config import InterferenceConfig
from shared.rng import generator


def add_interference(
    received: NDArray[np.complex64],
    sources: Sequence[InterferenceConfig],
    seed: int,
    user: int,
    first_use: int,
) -> None:
    """Add to the samples of channel uses first_use, first_use + 1, ... what `user` hears of the sources."""
    for number, source in enumerate(sources):
        if source.users is None or user in source.users:
            _add(received, source, (seed, number), first_use)


def is_on(source: InterferenceConfig, seed: int, first_use: int, uses: int) -> bool:
    """Whether a source, the only one, is on during any of these channel uses."""
    return any(True for _ in _bursts(source, (seed, 0), first_use, uses))


def _bursts(
    source: InterferenceConfig, key: tuple[int, int], first_use: int, uses: int
) -> Iterator[tuple[int, np.random.Generator]]:
    """The bursts that are on during these channel uses, each with what its symbols are drawn from."""
    seed, number = key
    for burst in range(first_use // source.burst_uses, (first_use + uses - 1) // source.burst_uses + 1):
        drawn = generator(seed, "interference", number, burst)
        if drawn.random() < source.duty:
            yield burst, drawn


def _add(
    received: NDArray[np.complex64], source: InterferenceConfig, key: tuple[int, int], first_use: int
) -> None:
    end_use = first_use + len(received)
    for burst, drawn in _bursts(source, key, first_use, len(received)):
        signal = np.empty(source.burst_uses, np.complex64)
        fill_complex_normals(drawn, signal, 10.0 ** (-source.sir_db / 10.0))
        start = burst * source.burst_uses
        here = slice(max(start, first_use) - start, min(start + source.burst_uses, end_use) - start)
        at = start + here.start - first_use
        received[at : at + here.stop - here.start] += signal[here]
