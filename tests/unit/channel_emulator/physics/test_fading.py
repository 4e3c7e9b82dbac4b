"""Rayleigh and Rician block fading: moments, distribution, independence, and that it belongs to the air."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from channel_emulator.physics.fading import (
    Fading,
    FadingPerRequest,
    FadingPerUses,
    NoFading,
    block_taps,
    fading_of,
    ray_gains,
    rayleigh_gains,
)
from shared.air.models import profile_of
from shared.air.ofdm import Grid
from shared.air.profile import RAYLEIGH, rician
from shared.air.tapped_delay_lines import TR_38_901, lam_msc
from shared.config import ChannelConfig

N = 2**18
GRID = Grid(64, 30e3)


def test_moments_of_rayleigh_fading() -> None:
    power = np.abs(rayleigh_gains(1, 0, N).astype(complex)) ** 2
    # |h|² is exponential: E = 1 with standard deviation 1; E|h|⁴ = 2 with sqrt(4! - 2²) = sqrt(20).
    assert power.mean() == pytest.approx(1.0, abs=5 / math.sqrt(N))
    assert np.mean(power**2) == pytest.approx(2.0, abs=5 * math.sqrt(20 / N))


def test_distribution_of_power_and_phase() -> None:
    # Kolmogorov-Smirnov: P(D sqrt(N) > 2.5) = 2 exp(-2 x 2.5²) = 7e-6.
    h = rayleigh_gains(2, 0, N).astype(complex)
    grid = np.arange(1, N + 1) / N
    for uniform in (1 - np.exp(-(np.abs(h) ** 2)), np.angle(h) / (2 * np.pi) + 0.5):
        assert np.abs(np.sort(uniform) - grid).max() * math.sqrt(N) < 2.5


@pytest.mark.parametrize("k_factor_db", [-10.0, 0.0, 6.0, 15.0])
def test_rician_fading_is_a_line_of_sight_and_scatter(k_factor_db: float) -> None:
    h = block_taps(rician(k_factor_db), 5, 0, N)[:, 0].astype(complex)
    k = 10 ** (k_factor_db / 10)
    power = np.abs(h) ** 2
    # E|h|² = 1 with variance (2 K + 1) / (K + 1)²; E h = sqrt(K / (K + 1)) (Simon and Alouini 2005, 2.2.1.2).
    spread = math.sqrt(2 * k + 1) / (k + 1)
    assert power.mean() == pytest.approx(1.0, abs=5 * spread / math.sqrt(N))
    assert abs(h.mean() - math.sqrt(k / (k + 1))) < 5 / math.sqrt((k + 1) * N)
    # 2 (K + 1) |h|² is noncentral chi-square, of two degrees and noncentrality 2 K.
    uniform = scipy.stats.ncx2.cdf(2 * (k + 1) * power, df=2, nc=2 * k)
    assert np.abs(np.sort(uniform) - np.arange(1, N + 1) / N).max() * math.sqrt(N) < 2.5


def test_without_line_of_sight_rician_is_rayleigh() -> None:
    np.testing.assert_array_equal(block_taps(RAYLEIGH, 6, 0, 100)[:, 0], rayleigh_gains(6, 0, 100))
    weak = block_taps(rician(-100.0), 6, 0, 100)[:, 0]
    np.testing.assert_allclose(weak, rayleigh_gains(6, 0, 100), atol=1e-4)


@pytest.mark.parametrize("name", [*TR_38_901, "cdl_b", "cdl_d", "lam_msc"])
def test_taps_have_the_powers_of_their_profile(name: str) -> None:
    profile = profile_of(ChannelConfig.model_validate({"model": name}))
    n = 2**14
    taps = block_taps(profile, 7, 0, n).astype(complex)
    variances, means = profile.variances(), profile.means()
    # |g - m|² is exponential: its mean over n draws has the relative standard error 1/sqrt(n).
    np.testing.assert_allclose(np.mean(np.abs(taps - means) ** 2, 0), variances, rtol=5 / math.sqrt(n))
    assert (np.abs(taps.mean(0) - means) < 5 * np.sqrt(variances / n)).all()
    centred = taps - means
    between = np.abs(centred.conj().T @ centred) / n / np.sqrt(np.outer(variances, variances))
    assert (between - np.diag(np.diag(between))).max() < 6 / math.sqrt(n)


@pytest.mark.parametrize("rays", [1, 3, 20])
def test_rays_of_equal_power_have_the_moments_of_their_number(rays: int) -> None:
    power = np.abs(ray_gains(5, rays, 0, N).astype(complex)) ** 2
    fourth = 2 - 1 / rays
    assert power.mean() == pytest.approx(1.0, abs=5 * math.sqrt((fourth - 1) / N) + 1e-6)
    assert (power**2).mean() == pytest.approx(fourth, rel=0.03)
    np.testing.assert_array_equal(ray_gains(5, rays, 0, 50)[20:], ray_gains(5, rays, 20, 30))


def test_blocks_and_users_are_independent() -> None:
    h = rayleigh_gains(3, 0, N)
    for lag in (1, 2, 64):
        assert abs(np.vdot(h[:-lag], h[lag:])) / (N - lag) < 5 / math.sqrt(N - lag)
    assert abs(np.vdot(h, rayleigh_gains(4, 0, N))) / N < 5 / math.sqrt(N)
    assert abs(h.mean()) < 5 / math.sqrt(N)
    assert abs(np.mean(h * h)) < 5 * math.sqrt(2 / N)  # circular: E h² = 0


@given(st.integers(0, 2**62), st.integers(1, 40), st.data())
def test_a_block_has_one_gain_from_wherever_one_looks(first: int, n: int, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, n - 1))
    np.testing.assert_array_equal(
        rayleigh_gains(9, first + offset, n - offset), rayleigh_gains(9, first, n)[offset:]
    )


@given(
    st.sampled_from(
        [
            FadingPerRequest(1, RAYLEIGH, GRID),
            FadingPerUses(1, 7, rician(3.0), GRID),
            FadingPerUses(1, 7, lam_msc(GRID.sample_s), GRID),
            FadingPerUses(1, 1, RAYLEIGH, GRID),
            NoFading(),
        ]
    ),
    st.integers(0, 3),
    st.integers(0, 50),
    st.integers(0, 2**40),
    st.integers(1, 60),
    st.data(),
)
def test_cutting_a_frame_in_two_buys_no_diversity(
    fading: Fading, user: int, group: int, first: int, uses: int, data: st.DataObject
) -> None:
    whole = fading.realise(user, group, first, uses).per_use()
    assert whole.shape == (uses,)
    cut = data.draw(st.integers(0, uses))
    parts = [(first, cut), (first + cut, uses - cut)]
    pieces = [fading.realise(user, group, start, n).per_use() for start, n in parts if n]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_sending_again_within_a_block_buys_no_diversity() -> None:
    per_uses = FadingPerUses(1, 1_000, RAYLEIGH, GRID)
    first = per_uses.realise(0, 0, 0, 400)
    again = per_uses.realise(0, 0, 400, 400)
    later = per_uses.realise(0, 0, 1_000, 400)
    assert first.single == again.single
    assert first.single is not None
    assert later.single not in (first.single, None)
    per_request = FadingPerRequest(1, RAYLEIGH, GRID)
    assert per_request.realise(0, 5, 0, 400).single == per_request.realise(0, 5, 10**6, 10).single
    assert per_request.realise(0, 5, 0, 400).single != per_request.realise(0, 6, 0, 400).single


def test_repetition_within_a_block_has_the_outage_of_one_attempt() -> None:
    # Two attempts, each lost when |h|² < ln 2 (probability one half): in one block both fare alike, so
    # both are lost with probability 1/2; in two blocks with 1/4. 8,000 trials: 5 sigma is 2.8%.
    n, threshold = 8_000, math.log(2)
    fading = FadingPerUses(5, 10, RAYLEIGH, GRID)

    def outage(user: int, first_use: int) -> bool:
        return bool(np.abs(fading.realise(user, 0, first_use, 1).taps_BL[0, 0]) ** 2 < threshold)

    same = np.mean([outage(0, 20 * i) and outage(0, 20 * i + 9) for i in range(n)])
    other = np.mean([outage(0, 20 * i) and outage(0, 20 * i + 10) for i in range(n)])
    assert same == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / n))
    assert other == pytest.approx(0.25, abs=5 * math.sqrt(0.1875 / n))


def test_a_frame_across_blocks_sees_several_gains() -> None:
    air = FadingPerUses(1, 10, RAYLEIGH, GRID).realise(0, 0, 8, 14)
    assert air.lengths.tolist() == [2, 10, 2]
    assert air.single is None
    assert len(set(air.taps_BL[:, 0].tolist())) == 3
    assert air.uses == 14


def test_a_user_has_its_own_fading_and_the_seed_decides_it() -> None:
    def gain(seed: int, user: int) -> complex | None:
        return FadingPerUses(seed, 10, RAYLEIGH, GRID).realise(user, 0, 0, 1).single

    assert gain(1, 0) == gain(1, 0)
    assert len({gain(s, u) for s in (1, 2) for u in (0, 1)}) == 4


def test_the_configuration_names_the_model() -> None:
    assert isinstance(fading_of(ChannelConfig(model="ideal"), 1), NoFading)
    assert isinstance(fading_of(ChannelConfig(model="awgn"), 1), NoFading)
    assert isinstance(fading_of(ChannelConfig(model="rayleigh"), 1), FadingPerRequest)
    per_uses = fading_of(ChannelConfig(model="rayleigh", coherence="uses", coherence_uses=3), 1)
    assert per_uses.realise(0, 0, 0, 6).lengths.tolist() == [3, 3]
    assert fading_of(ChannelConfig(model="awgn"), 1).realise(0, 0, 0, 5).single == 1.0
