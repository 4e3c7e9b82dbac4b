"""A channel of one's own: two Rayleigh paths, the second one later and weaker.

    channel: {model: docs.examples.two_paths, delay_spread_ns: 300, k_factor_db: 3}

`delay_spread_ns` is how much later, `k_factor_db` how much weaker.
"""

from shared.air.own_channel import Channel
from shared.air.profile import DelayProfile, from_decibels
from shared.channel_config import ChannelConfig


def profile(channel: ChannelConfig) -> DelayProfile:
    """`from_decibels` scales the powers to E|h|^2 = 1."""
    return from_decibels((0.0, 1e-9 * channel.delay_spread_ns), (0.0, -channel.k_factor_db))


CHANNEL = Channel(profile)
