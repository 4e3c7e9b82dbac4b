"""Generating realisations: what the air does at a place and time, whatever is sent through it.

Fading belongs to the air, not to frames. A gain is a pure function of (seed, user, block), where the block is
the group (coherence 'request') or ⌊channel-use clock / coherence_uses⌋ (coherence 'uses'). So cutting a
frame in two, or sending it again within a block, meets the same gain and buys no diversity.

E|h|^2 = 1 for unit average transmit power; SNR is average received Es/N0 per channel use in dB,
N0 = 10^(-SNR/10), N0/2 per real dimension; the noise is added elsewhere (`noise.transmit`).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from channel_emulator.physics.realisation import Realisation, constant
from shared.air.models import grid_of, profile_of
from shared.air.ofdm import Grid
from shared.air.profile import DelayProfile
from shared.config import ChannelConfig
from shared.rng import derive_seed


class Fading(Protocol):
    """A model of the fading of every user's link."""

    def realise(self, user: int, group_id: int, first_use: int, uses: int) -> Realisation:
        """The gains that `user` meets on channel uses first_use ... first_use + uses - 1."""
        ...


class NoFading:
    """h = 1: ideal and AWGN channels."""

    def realise(self, user: int, group_id: int, first_use: int, uses: int) -> Realisation:
        return constant(1.0, uses)


@dataclass(frozen=True, slots=True)
class FadingPerRequest:
    """One draw of the taps per user and group: first transmissions and repetitions alike."""

    seed: int
    profile: DelayProfile
    grid: Grid

    def realise(self, user: int, group_id: int, first_use: int, uses: int) -> Realisation:
        taps = block_taps(self.profile, _key(self.seed, "request", user), group_id, 1)
        return Realisation(taps, np.array([uses], np.int64), self.profile, self.grid, first_use)


@dataclass(frozen=True, slots=True)
class FadingPerUses:
    """One draw of the taps per user and block of `coherence_uses` channel uses of the downlink clock."""

    seed: int
    coherence_uses: int
    profile: DelayProfile
    grid: Grid

    def realise(self, user: int, group_id: int, first_use: int, uses: int) -> Realisation:
        coherence = self.coherence_uses
        first, last = first_use // coherence, (first_use + uses - 1) // coherence
        taps = block_taps(self.profile, _key(self.seed, "uses", user), first, last - first + 1)
        lengths = np.full(len(taps), coherence, dtype=np.int64)
        lengths[0] -= first_use - first * coherence
        lengths[-1] -= (last + 1) * coherence - (first_use + uses)
        return Realisation(taps, lengths, self.profile, self.grid, first_use)


@lru_cache(maxsize=4_096)
def _key(seed: int, coherence: str, user: int) -> int:
    """The key of a user's fading process."""
    return derive_seed(seed, "fading", coherence, user)


def block_taps(profile: DelayProfile, key: int, first_block: int, n_blocks: int) -> NDArray[np.complex64]:
    """Independent taps of blocks first_block ... first_block + n_blocks - 1, complex64 [n_blocks, L]."""
    taps = len(profile.powers)
    if profile.rays is None:
        scatter = rayleigh_gains(key, first_block * taps, n_blocks * taps).reshape(n_blocks, taps)
    else:
        scatter = ray_gains(key, profile.rays, first_block * taps, n_blocks * taps).reshape(n_blocks, taps)
    deviations = np.sqrt(profile.variances()).astype(np.float32)
    return profile.means().astype(np.float32) + deviations * scatter


def rayleigh_gains(key: int, first_block: int, n_blocks: int) -> NDArray[np.complex64]:
    """Independent h ~ CN(0, 1) of blocks first_block ... first_block + n_blocks - 1, complex64 [n_blocks].

    E|h|² = 1, 1/2 per real dimension; |h| is Rayleigh. Any range costs only its own length: the generator is
    counter-based (Philox 4x64, Salmon et al. 2011), with the block's number as the counter, and each block's
    two uniform numbers become one complex normal by Box and Muller (1958).
    """
    words = np.random.Philox(key=key, counter=first_block).random_raw(4 * n_blocks).reshape(n_blocks, 4)
    # 53 bits each; the radius takes (0, 1] so that the logarithm is finite.
    radius = np.sqrt(-np.log(((words[:, 0] >> np.uint64(11)) + 1) * 2.0**-53))
    angle = 2.0 * np.pi * (words[:, 1] >> np.uint64(11)) * 2.0**-53
    return (radius * np.exp(1j * angle)).astype(np.complex64)


def ray_gains(key: int, rays: int, first: int, count: int) -> NDArray[np.complex64]:
    """Independent sums of `rays` rays of power 1/rays and uniform phases, complex64 [count]; E|h|² = 1.

    E|h|⁴ = 2 - 1/rays (3GPP TR 38.901, step 11 of clause 7.5, without angles). Counter-based, as above.
    """
    draws = -(-rays // 4)
    words = np.random.Philox(key=key, counter=first * draws).random_raw(4 * draws * count)
    turns = (words >> np.uint64(11)).reshape(count, -1)[:, :rays] * 2.0**-53
    gains: NDArray[np.complex64] = (np.exp(2j * np.pi * turns).sum(1) / math.sqrt(rays)).astype(np.complex64)
    return gains


def fading_of(channel: ChannelConfig, seed: int) -> Fading:
    """The fading model of a run."""
    profile, grid = profile_of(channel), grid_of(channel)
    if not profile.fades:
        return NoFading()
    if channel.coherence == "request":
        return FadingPerRequest(seed, profile, grid)
    return FadingPerUses(seed, channel.coherence_uses, profile, grid)
