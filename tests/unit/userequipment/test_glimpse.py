"""A glimpse of what was received: the same symbols before and after, at the SNR that theory says."""

import numpy as np
import pytest

from shared.air import pilots
from shared.config import ChannelConfig
from tests.unit.userequipment.test_channel_decode import TOKENS, USES, frame_of, unit_power
from userequipment.channel_decode import Air
from userequipment.glimpse import glimpse

GAIN = 0.6 - 0.5j
FADED = ChannelConfig(model="rayleigh", csi="genie")


def faded() -> object:
    sent = np.concatenate([pilots.pilot_sequence(16), unit_power(TOKENS * USES)])
    return frame_of(GAIN * sent, pilot_uses=16, genie_blocks=((len(sent), (GAIN.real, GAIN.imag)),))


def test_equalised_symbols_are_the_received_ones_without_the_gain() -> None:
    seen = glimpse({2: [faded()]}, Air(FADED, 10.0), 8)  # type: ignore[list-item]
    assert seen is not None
    received, equalised = (np.array(points) @ [1, 1j] for points in (seen.received, seen.equalised))
    assert len(received) == 8
    np.testing.assert_allclose(received, GAIN * equalised, atol=0.02)
    assert seen.snr_db == 10.0
    assert seen.received_db == pytest.approx(10.0 + 20 * np.log10(abs(GAIN)), abs=0.01)


def test_no_more_symbols_than_there_are_and_none_without_noise() -> None:
    seen = glimpse({0: [frame_of(unit_power(TOKENS * USES))]}, Air(ChannelConfig(model="ideal"), 10.0), 1_000)
    assert seen is not None
    assert len(seen.received) == TOKENS * USES
    assert seen.received == seen.equalised
    assert seen.snr_db is seen.received_db is None


def test_frames_that_cannot_be_read_are_passed_over() -> None:
    broken = frame_of(unit_power(TOKENS * USES), payload=b"\0" * 12)
    air = Air(ChannelConfig(model="awgn"), 0.0)
    assert glimpse({0: [broken]}, air, 8) is None
    assert glimpse({0: [broken], 1: [frame_of(unit_power(TOKENS * USES))]}, air, 8) is not None
    assert glimpse({}, air, 8) is None
    assert glimpse({1: [frame_of(unit_power(TOKENS * USES))]}, air, 0) is None
