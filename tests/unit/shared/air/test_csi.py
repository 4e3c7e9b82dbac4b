"""What the receiver takes for its gain: 1 without fading, the genie's word, or the pilots'."""

from typing import Any, Literal

import numpy as np
import pytest

from shared.air.csi import channel_gain
from shared.air.pilots import pilot_sequence
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame

RAYLEIGH = ChannelConfig(model="rayleigh")
GENIE = ChannelConfig(model="rayleigh", csi="genie")
ESTIMATORS: tuple[Literal["ls", "lmmse"], ...] = ("ls", "lmmse")


def _frame(**changes: Any) -> SymbolFrame:
    fields: dict[str, Any] = {
        "stream": "private", "users": (0,), "group_id": 0, "frame_id": 0, "attempt": 0, "first_token": 0,
        "n_tokens": 2, "uses_per_token": 3, "pilot_uses": 4, "first_use": 0, "uses": 10, "energy": 10.0,
        "sample_format": "cf32", "full_scale": 1.0, "payload": bytes(80),
    }  # fmt: skip
    return SymbolFrame(**(fields | changes))


def test_pilots_give_the_gain_and_its_error() -> None:
    h = np.complex64(0.6 - 0.2j)
    received = np.concatenate([h * pilot_sequence(4), np.zeros(6, np.complex64)])
    gain, variance = channel_gain(_frame(), received, RAYLEIGH, 0.1)
    assert gain == pytest.approx(complex(h), abs=1e-6)
    assert variance == pytest.approx(0.1 / 4)


def test_lmmse_pilots_lean_towards_what_is_known_of_the_gain() -> None:
    # Mean 1/sqrt(2), variance 1/2.
    channel = ChannelConfig(model="rician", k_factor_db=0.0, estimator="lmmse")
    received = np.concatenate([np.complex64(0.5j) * pilot_sequence(4), np.zeros(6, np.complex64)])
    gain, variance = channel_gain(_frame(), received, channel, 2.0)
    # N0 / 4 = 1/2, as much as the gain varies: half way between the estimate and the mean.
    assert gain == pytest.approx(0.5**0.5 / 2 + 0.25j, abs=1e-6)
    assert variance == pytest.approx(0.25)


def test_genie_gives_one_gain_or_one_for_each_use() -> None:
    received = np.zeros(10, np.complex64)
    assert channel_gain(_frame(genie_blocks=((10, (0.5, -1.0)),)), received, GENIE, 0.1) == (0.5 - 1j, 0.0)
    gain, variance = channel_gain(
        _frame(genie_blocks=((7, (1.0, 0.0)), (3, (0.0, 2.0)))), received, GENIE, 0.1
    )
    np.testing.assert_array_equal(gain, np.array([1] * 7 + [2j] * 3, np.complex64))
    assert variance == 0.0


@pytest.mark.parametrize("model", ["ideal", "awgn"])
def test_without_fading_there_is_nothing_to_learn(model: Literal["ideal", "awgn"]) -> None:
    for estimator in ESTIMATORS:
        channel = ChannelConfig(model=model, estimator=estimator)
        assert channel_gain(_frame(), np.zeros(10, np.complex64), channel, 0.1) == (1.0, 0.0)


def test_frames_that_do_not_say_enough_are_refused() -> None:
    received = np.zeros(10, np.complex64)
    for pilots in (0, 11):
        with pytest.raises(ProtocolError, match="no_pilots"):
            channel_gain(_frame(pilot_uses=pilots), received, RAYLEIGH, 0.1)
    for blocks in ((), ((9, (1.0, 0.0)),), ((10, (1.0, 0.0, 1.0, 0.0)),), ((10, (1.0,)),), ((10, ()),)):
        with pytest.raises(ProtocolError, match="bad_gain"):
            channel_gain(_frame(genie_blocks=blocks), received, GENIE, 0.1)
