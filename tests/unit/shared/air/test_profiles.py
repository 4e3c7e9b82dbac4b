"""Delay profiles against Sionna's, and their own sums."""

import math

import numpy as np
import pytest

from shared.air.models import grid_of, profile_of
from shared.air.ofdm import response
from shared.air.profile import NO_FADING, RAYLEIGH, rician
from shared.air.tapped_delay_lines import TR_38_901, cdl, lam_msc, tdl
from shared.config import ChannelConfig

SPREAD_S = 100e-9


@pytest.mark.parametrize("name", TR_38_901)
def test_tapped_delay_lines_are_sionnas(name: str) -> None:
    tr38901 = pytest.importorskip("sionna.phy.channel.tr38901")
    theirs = tr38901.TDL(name[-1].upper(), SPREAD_S, 3.5e9, precision="double", device="cpu")
    ours = tdl(name, SPREAD_S)
    np.testing.assert_allclose(ours.delays_s, theirs.delays.numpy(), rtol=1e-6, atol=1e-18)
    np.testing.assert_allclose(ours.powers, theirs.mean_powers.numpy(), rtol=1e-5)
    assert ours.line_of_sight == pytest.approx(float(theirs.mean_power_los) if theirs.los else 0.0, rel=1e-5)
    if theirs.los:
        assert ours.line_of_sight / ours.variances()[0] == pytest.approx(float(theirs.k_factor), rel=1e-5)


@pytest.mark.parametrize("name", ["cdl_a", "cdl_b", "cdl_c", "cdl_d", "cdl_e"])
def test_clustered_delay_lines_are_sionnas_between_single_antennas(name: str) -> None:
    """Delays exactly; powers and E|h|^4 of its drawn clusters within their scatter."""
    tr38901 = pytest.importorskip("sionna.phy.channel.tr38901")
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    single = {"num_rows": 1, "num_cols": 1, "polarization": "single", "polarization_type": "V"}
    of_theirs = {"precision": "double", "device": "cpu"}
    antenna = tr38901.AntennaArray(antenna_pattern="omni", carrier_frequency=3.5e9, **single, **of_theirs)
    model = tr38901.CDL(name[-1].upper(), SPREAD_S, 3.5e9, antenna, antenna, "downlink", **of_theirs)
    draws = 4_000
    taps, delays = model(draws, 1, 1.0)
    ours, order = cdl(name, SPREAD_S), np.argsort(delays[0].flatten().numpy(), kind="stable")
    mine = np.argsort(ours.delays_s, kind="stable")
    np.testing.assert_allclose(np.array(ours.delays_s)[mine], delays[0].flatten().numpy()[order], atol=1e-12)
    power_BL = np.abs(taps.reshape(draws, -1).numpy()[:, order]) ** 2
    np.testing.assert_allclose(power_BL.mean(0), np.array(ours.powers)[mine], rtol=5 / math.sqrt(draws))
    scattered = power_BL[:, -1]
    assert (scattered**2).mean() / scattered.mean() ** 2 == pytest.approx(2 - 1 / ours.rays, abs=0.15)


@pytest.mark.parametrize("name", TR_38_901)
def test_responses_are_sionnas(name: str) -> None:
    """The same taps give the same gain on every subcarrier."""
    channel = pytest.importorskip("sionna.phy.channel")
    import torch

    profile = tdl(name, SPREAD_S)
    config = ChannelConfig(subcarriers=64)
    grid = grid_of(config)
    rng = np.random.default_rng(0)
    n = len(profile.powers)
    taps = (rng.standard_normal(n) + 1j * rng.standard_normal(n)).astype(np.complex64)
    frequencies = torch.from_numpy((np.arange(64) - 31) * grid.spacing_hz)
    a = torch.from_numpy(taps.astype(np.complex128)).reshape(1, 1, 1, 1, 1, n, 1)
    tau = torch.tensor(profile.delays_s, dtype=torch.float64).reshape(1, 1, 1, n)
    theirs = channel.cir_to_ofdm_channel(frequencies, a, tau).numpy().ravel()
    np.testing.assert_allclose(response(profile, grid, taps, np.arange(64)), theirs, atol=1e-5)


@pytest.mark.parametrize("spread_ns", [10.0, 300.0])
@pytest.mark.parametrize("name", TR_38_901)
def test_the_delay_spread_is_what_was_asked_for(name: str, spread_ns: float) -> None:
    """Within what the standard's rounded tables allow."""
    profile = tdl(name, 1e-9 * spread_ns)
    powers, delays = np.array(profile.powers), np.array(profile.delays_s)
    mean = powers @ delays
    assert math.sqrt(powers @ delays**2 - mean**2) == pytest.approx(1e-9 * spread_ns, rel=0.02)


def test_every_profile_has_unit_power() -> None:
    for profile in (NO_FADING, RAYLEIGH, rician(3.0), lam_msc(1e-7), *(tdl(n, SPREAD_S) for n in TR_38_901)):
        assert math.fsum(profile.powers) == pytest.approx(1.0)
        assert math.fsum(profile.means() ** 2) + math.fsum(profile.variances()) == pytest.approx(1.0)
        assert (profile.variances() >= 0).all()


def test_the_configuration_names_the_profile() -> None:
    assert profile_of(ChannelConfig(model="ideal")) == profile_of(ChannelConfig(model="awgn")) == NO_FADING
    assert profile_of(ChannelConfig(model="rayleigh")) == RAYLEIGH
    assert profile_of(ChannelConfig(model="rician", k_factor_db=3.0)) == rician(3.0)
    spread = profile_of(ChannelConfig(model="tdl_b", delay_spread_ns=30.0))
    np.testing.assert_allclose(spread.delays_s, tdl("tdl_b", 30e-9).delays_s)
    five = ChannelConfig(model="lam_msc", subcarriers=100, subcarrier_spacing_khz=20.0)
    np.testing.assert_allclose(profile_of(five).delays_s, np.array([0, 3, 5, 6, 8]) / 2e6)
