"""Channel models of one's own: a module that has a CHANNEL, checked before anything starts."""

import sys
import types

import pytest

from shared.air.models import profile_of
from shared.air.own_channel import MODELS, Channel
from shared.air.profile import NO_FADING, DelayProfile
from shared.config import ChannelConfig
from shared.config_file import ConfigError, parse_config

HALVES = (0.5, 0.5)


def put(monkeypatch: pytest.MonkeyPatch, profile: object) -> str:
    module = types.ModuleType("a_package.a_channel")
    module.CHANNEL = Channel(lambda channel: profile)  # type: ignore[attr-defined,arg-type,return-value]
    monkeypatch.setitem(sys.modules, "a_package", types.ModuleType("a_package"))
    monkeypatch.setitem(sys.modules, "a_package.a_channel", module)
    return "a_package.a_channel"


def test_every_model_that_is_known_has_a_profile() -> None:
    flat = {model for model in MODELS if profile_of(ChannelConfig(model=model)) == NO_FADING}
    assert flat == {"ideal", "awgn"}


def test_a_module_may_bring_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = DelayProfile((0.0, 1e-7), HALVES, line_of_sight=0.25)
    name = put(monkeypatch, own)
    assert profile_of(parse_config({"channel": {"model": name}}, "test").channel) is own


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("flat", "expected a DelayProfile, received str"),
        (DelayProfile((0.0,), HALVES), "1 delays and 2 powers"),
        (DelayProfile((), ()), "0 delays and 0 powers"),
        (DelayProfile((0.0, 1e-7), (0.5, 0.4)), "powers that add up to 1"),
        (DelayProfile((0.0, 1e-7), (float("nan"), 0.5)), "powers that add up to 1"),
        (DelayProfile((0.0, -1e-7), HALVES), "expected delays and powers >= 0"),
        (DelayProfile((0.0, 1e-7), HALVES, line_of_sight=0.7), "part of the first tap's power"),
    ],
)
def test_what_is_no_profile_is_one_line(monkeypatch: pytest.MonkeyPatch, profile: object, said: str) -> None:
    name = put(monkeypatch, profile)
    with pytest.raises(ConfigError) as error:
        parse_config({"channel": {"model": name}}, "test")
    assert str(error.value).startswith(f"test: channel: channel.model: {name}: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("rayleig", "'rayleig' is not known, expected one of ideal, awgn, "),
        ("no.such", "no.such cannot be imported"),
        ("shared.rate", "shared.rate has no CHANNEL"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_line(model: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"channel.model: {said}"):
        parse_config({"channel": {"model": model}}, "test")
