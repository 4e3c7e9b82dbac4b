"""The channel models of a configuration: their average taps, and the grid that they are seen through."""

from shared.air.ofdm import Grid
from shared.air.own_channel import own_channel
from shared.air.profile import NO_FADING, RAYLEIGH, DelayProfile, rician
from shared.air.tapped_delay_lines import TR_38_901, cdl, lam_msc, tdl
from shared.config import ChannelConfig


def grid_of(channel: ChannelConfig) -> Grid:
    """The OFDM grid; channels with one tap do not depend on it."""
    return Grid(channel.subcarriers, 1e3 * channel.subcarrier_spacing_khz)


def pilot_uses(channel: ChannelConfig) -> int:
    """Pilots of a frame: none where the receiver knows the gain (no fading, or `genie`)."""
    return channel.pilot_uses if profile_of(channel).fades and channel.csi == "pilots" else 0


def profile_of(channel: ChannelConfig) -> DelayProfile:
    """The average taps of the configured model, E|h|^2 = 1."""
    if channel.model == "rayleigh":
        return RAYLEIGH
    if channel.model == "rician":
        return rician(channel.k_factor_db)
    if channel.model == "lam_msc":
        return lam_msc(grid_of(channel).sample_s)
    if channel.model.startswith("cdl_"):
        return cdl(channel.model, 1e-9 * channel.delay_spread_ns)
    if channel.model in TR_38_901:
        return tdl(channel.model, 1e-9 * channel.delay_spread_ns)
    if channel.model in ("ideal", "awgn"):
        return NO_FADING
    return own_channel(channel.model).profile(channel)
