"""What a map costs, and that it reads the same on the other side of every kind of air."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from channel_emulator.air import Air
from shared.air import pilots, samples, side_code
from shared.air.side_info import frame_of, on_air, outlasts_channel, side_uses
from shared.config import ChannelConfig
from shared.config_file import parse_config
from shared.wire.messages import SideInfo
from tests.unit.channel_emulator.support import config, side_info
from userequipment.channel_decode import Air as Hearing
from userequipment.channel_decode import equalise_frame

PAYLOAD, BITS = bytes(range(1, 9)), 61


def sent(**channel: Any) -> SideInfo:
    settings = ChannelConfig.model_validate(channel)
    snr_db = settings.snr_db_of(0)
    return replace(side_info(), **on_air(settings, snr_db, PAYLOAD, BITS))  # type: ignore[arg-type]


def test_error_free_a_bit_costs_a_channel_use() -> None:
    assert side_uses(ChannelConfig(), 3.0, 61) == 61
    assert side_uses(ChannelConfig(), 3.0, 0) == 0
    side = sent()
    assert (side.uses, side.energy, bytes(side.payload)) == (61, 61.0, PAYLOAD)
    with pytest.raises(ValueError, match="n_bits"):
        side_uses(ChannelConfig(), 3.0, -1)


def test_coded_it_costs_its_code_and_pilots_and_has_unit_power() -> None:
    channel = ChannelConfig(model="rayleigh", side_info="ldpc", snr_db=15.0, pilot_uses=8)
    side = sent(**channel.model_dump())
    assert side.uses == side_uses(channel, 15.0, BITS) == 8 + side_code.uses_of(BITS, 15.0)
    signal = samples.from_wire(side.payload, side.sample_format, side.full_scale, side.uses)
    np.testing.assert_allclose(signal[:8], pilots.pilot_sequence(8), atol=1e-3)
    assert float(np.sum(np.abs(signal) ** 2)) == pytest.approx(side.energy, rel=1e-3)


@pytest.mark.parametrize(
    "channel",
    [
        {"model": "ideal"},
        {"model": "awgn", "snr_db": 5.0},
        {"model": "rician", "k_factor_db": 20.0, "snr_db": 15.0},
        {"model": "rayleigh", "csi": "genie", "snr_db": 30.0},
        {"model": "tdl_a", "csi": "genie", "snr_db": 20.0},
    ],
)
@pytest.mark.parametrize("sample_format", ["cf32", "cs16", "cs8"])
def test_behind_the_air_it_reads_the_same(channel: dict[str, Any], sample_format: str) -> None:
    changes = {**channel, "sample_format": sample_format, "side_info": "ldpc"}
    run = config(**changes)
    heard = Air(run).receive_side(sent(**changes))
    snr_db = run.channel.snr_db_of(0)
    token = equalise_frame(frame_of(heard), Hearing(run.channel, snr_db))[0]
    said = np.unpackbits(
        np.frombuffer(side_code.decode([(token.symbols_U, token.noise_variance_U)], snr_db), np.uint8)
    )
    np.testing.assert_array_equal(said[:BITS], np.unpackbits(np.frombuffer(PAYLOAD, np.uint8))[:BITS])


def test_every_attempt_and_every_request_has_noise_of_its_own() -> None:
    air = Air(config(model="awgn", snr_db=0.0, side_info="ldpc"))
    side = sent(model="awgn", snr_db=0.0, side_info="ldpc")
    heard = [
        bytes(air.receive_side(s).payload)
        for s in (side, side, replace(side, attempt=1), replace(side, request_id="r000009"))
    ]
    assert heard[0] == heard[1]
    assert len(set(heard)) == 3


def test_error_free_it_is_handed_on_as_it_is() -> None:
    side = sent()
    assert Air(config()).receive_side(side) is side


@pytest.mark.parametrize(
    ("changes", "uses", "outlasts"),
    [
        ({"model": "rayleigh", "coherence": "uses", "coherence_uses": 300, "side_info": "ldpc"}, 151, True),
        ({"model": "rayleigh", "coherence": "uses", "coherence_uses": 300, "side_info": "ldpc"}, 150, False),
        ({"model": "rayleigh", "coherence": "uses", "coherence_uses": 300}, 151, False),
        ({"model": "rayleigh", "coherence_uses": 300, "side_info": "ldpc"}, 10_000, False),
        ({"model": "awgn", "coherence": "uses", "coherence_uses": 300, "side_info": "ldpc"}, 151, False),
    ],
)
def test_a_coded_map_should_end_before_its_pilots_are_stale(
    changes: dict[str, object], uses: int, outlasts: bool
) -> None:
    channel = parse_config({"channel": changes}, "test").channel
    assert outlasts_channel(channel, uses) is outlasts
