"""The examples of docs/extending.md do what they say, and are checked at the door as what is built in."""

import json
import math
from typing import Any

import numpy as np
import pytest

from channel_emulator.air import Air, open_frame
from channel_emulator.faults.chain import FaultChain
from launch.chaos.entries import fault_of
from shared.air.csi import channel_gain
from shared.air.equalise import equalise
from shared.air.models import profile_of
from shared.air.pilots import pilot_sequence
from shared.air.samples import from_wire
from shared.config import ChannelConfig
from shared.config_file import ConfigError, parse_config
from shared.fault_config import parse_fault
from tests.unit.channel_emulator.support import config, frame, qpsk

CHANNEL = "docs.examples.two_paths"
FAULT = "docs.examples.size_loss"


def chain(seed: int = 1, **changes: Any) -> FaultChain:
    made = FaultChain([parse_fault({"fault": FAULT, "per_kbyte": 0.3, **changes})], seed)
    made.begin(0.0)
    made.changes(0.0)
    return made


def lost(faults: FaultChain, uses: int, n: int = 4_000, user: int = 0) -> list[str]:
    samples = qpsk(uses)  # of cf32, 8 bytes each
    return [faults.fate(frame(frame_id=i, samples=samples), user, "down").lost for i in range(n)]


@pytest.mark.parametrize("uses", [1, 125, 375])
def test_long_messages_are_lost_more_often(uses: int) -> None:
    n, expected = 4_000, 1.0 - 0.7 ** (8 * uses / 1_000)
    found = lost(chain(), uses, n)
    assert set(found) <= {"", "size_loss"}
    assert found.count("size_loss") == pytest.approx(
        n * expected, abs=5 * math.sqrt(n * expected * (1 - expected))
    )


def test_the_same_seed_loses_the_same_whatever_others_do() -> None:
    alone, among_others = chain(), chain()
    lost(among_others, 125, user=1)
    assert lost(alone, 125) == lost(among_others, 125) != lost(chain(seed=2), 125)


def test_the_journal_names_it_by_the_last_part_and_counts_its_strikes() -> None:
    faults = chain(per_kbyte=1.0)
    lost(faults, 125, n=3)
    assert faults.strikes == {"size_loss.0": 3}
    assert [(c.what, c.fault) for c in faults.changes(0.0)] == [("strike", "size_loss.0")]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": FAULT}, f"channel.faults.0: {FAULT}: per_kbyte: Field required"),
        ({"fault": FAULT, "per_kbyte": 2}, f"channel.faults.0: {FAULT}: per_kbyte: Input should be less"),
        ({"fault": FAULT, "per_kbyte": 0.1, "colour": 1}, f"channel.faults.0: {FAULT}: colour: Extra inputs"),
        ({"fault": FAULT, "per_kbyte": 0.1, "at_s": -1}, "channel.faults.0.at_s: Input should be greater"),
        ({"fault": CHANNEL}, f"channel.faults.0: fault: {CHANNEL} has no FAULT, expected one of noop, loss"),
        ({"fault": "no.such"}, "channel.faults.0: fault: no.such cannot be imported"),
        ({"fault": "nosuch"}, "channel.faults.0.fault: expected one of noop, loss"),
    ],
)
def test_a_fault_that_cannot_be_is_one_line(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config({"channel": {"faults": [fault]}}, "test")
    assert str(error.value).startswith(f"test: {said}")
    assert "\n" not in str(error.value)


def test_it_stands_in_a_configuration_a_scenario_and_an_injection() -> None:
    given = {"fault": FAULT, "per_kbyte": 0.3, "users": [0], "at_s": 2.0}
    resolved = parse_config({"channel": {"faults": [given]}}, "test")
    assert parse_config(json.loads(resolved.model_dump_json()), "test") == resolved
    line = {"fault": FAULT, "per_kbyte": 0.3, "at_s": 2.0, "on": {"users": [0]}}
    assert fault_of(line, "here") == resolved.channel.faults[0]
    assert parse_fault(json.loads(resolved.channel.faults[0].model_dump_json())) == resolved.channel.faults[0]


def channel(**changes: Any) -> dict[str, Any]:
    return {"model": CHANNEL, "delay_spread_ns": 300.0, "k_factor_db": 3.0, "snr_db": 20.0, **changes}


def test_two_paths_have_the_power_and_delay_that_they_are_given() -> None:
    profile = profile_of(ChannelConfig(**channel()))
    assert profile.delays_s == pytest.approx((0.0, 300e-9))
    assert sum(profile.powers) == pytest.approx(1.0)
    assert 10 * math.log10(profile.powers[0] / profile.powers[1]) == pytest.approx(3.0)


def test_average_power_is_one_and_the_equaliser_undoes_it() -> None:
    """The genie's gains leave noise of the variance that the equaliser says; over blocks E|h|^2 = 1."""
    settings = channel(csi="genie", coherence="uses", coherence_uses=16)
    x = qpsk(2**13)
    received = Air(config(**settings)).receive(open_frame(frame(samples=x)), 0)
    y = from_wire(received.payload, received.sample_format, received.full_scale, received.uses)
    gain, _ = channel_gain(received, y, ChannelConfig(**settings), 0.01)
    assert isinstance(gain, np.ndarray)
    assert float(np.mean(np.abs(gain) ** 2)) == pytest.approx(1.0, abs=0.2)
    assert len(np.unique(gain[:16].round(4))) > 8  # within a block by subcarrier
    x_hat, variances = equalise(y, gain, 0.01)
    assert float(np.mean(np.abs(x_hat - x) ** 2 / variances)) == pytest.approx(1.0, abs=5 / math.sqrt(x.size))


def test_pilots_learn_it() -> None:
    settings = channel(snr_db=30.0, delay_spread_ns=100.0)
    sent = frame(samples=np.concatenate([pilot_sequence(16), qpsk(240)]), pilot_uses=16)
    told = Air(config(**settings, csi="genie")).receive(open_frame(sent), 0)
    heard = Air(config(**settings)).receive(open_frame(sent), 0)
    samples = [from_wire(m.payload, m.sample_format, m.full_scale, m.uses) for m in (told, heard)]
    truth, _ = channel_gain(told, samples[0], ChannelConfig(**settings, csi="genie"), 0.001)
    gain, _ = channel_gain(heard, samples[1], ChannelConfig(**settings), 0.001)
    assert float(np.mean(np.abs(gain - truth) ** 2)) < 0.05
