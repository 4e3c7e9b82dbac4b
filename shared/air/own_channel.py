"""A channel model of one's own: a module that `channel.model` names, and that has a CHANNEL."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.air.profile import DelayProfile
from shared.own_module import from_own_module

MODELS: Final = (
    "ideal", "awgn", "rayleigh", "rician", "tdl_a", "tdl_b", "tdl_c", "tdl_d", "tdl_e",
    "cdl_a", "cdl_b", "cdl_c", "cdl_d", "cdl_e", "lam_msc",
)  # fmt: skip
"""Those that `shared.air.models` knows."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Channel:
    """`profile`: the average taps under a `ChannelConfig`, a pure function; E|h|^2 = 1."""

    profile: Callable[[Any], DelayProfile]


def own_channel(name: str) -> Channel:
    """Raises ValueError, one line, for a name that is no module with a CHANNEL."""
    return from_own_module(name, "CHANNEL", Channel, "channel.model", MODELS)


def check_profile(name: str, profile: object) -> None:
    """Whether a module's profile is one. Raises ValueError, one line."""
    if not isinstance(profile, DelayProfile):
        raise ValueError(f"channel.model: {name}: expected a DelayProfile, received {type(profile).__name__}")
    delays_s, powers = profile.delays_s, profile.powers
    if not powers or len(delays_s) != len(powers):
        raise ValueError(f"channel.model: {name}: {len(delays_s)} delays and {len(powers)} powers")
    if min(delays_s) < 0.0 or min(powers) < 0.0 or not abs(math.fsum(powers) - 1.0) < _ROUNDING:
        raise ValueError(f"channel.model: {name}: expected delays and powers >= 0, powers that add up to 1")
    if not 0.0 <= profile.line_of_sight <= powers[0] + _ROUNDING:
        raise ValueError(f"channel.model: {name}: the line of sight is part of the first tap's power")
