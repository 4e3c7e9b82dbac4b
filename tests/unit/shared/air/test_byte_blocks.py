"""Bytes as blocks on the air: how they are cut. How often a block fails: launch/experiments/test_ldpc.py."""

import math
from dataclasses import replace

import numpy as np
import pytest

from channel_emulator.air import Air as Emulator
from channel_emulator.air import open_frame
from shared.air import byte_blocks, transport
from shared.air.byte_blocks import LENGTHS, MOST, blocks_of, uses_of
from shared.air.transport import TABLE, VERSIONS
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.wire.messages import SymbolFrame
from userequipment.block_reader import BlockReader
from userequipment.channel_decode import Air


def config(snr_db: float = 10.0, **channel: object) -> RunConfig:
    air = {"model": "awgn", "snr_db": snr_db, "sample_format": "cf32", **channel}
    return parse_config({"users": 1, "seed": 5, "scheme": "webp_ldpc", "channel": air}, "test")


def frames(data: bytes, run: RunConfig, mcs: transport.Mcs, group: int = 0) -> list[list[SymbolFrame]]:
    return byte_blocks.frames_of(
        data, run.channel, mcs, 3, stream="public", users=(0,), group_id=group, first_frame=0, first_byte=0
    )


def heard(frame: SymbolFrame, run: RunConfig) -> SymbolFrame:
    return Emulator(run).receive(open_frame(frame), 0)


def data_of(n_bytes: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(n_bytes)


def test_blocks_are_of_few_lengths_and_waste_little() -> None:
    assert len(LENGTHS) < 64
    for n_bytes in range(1, 3_000):
        blocks, length = blocks_of(n_bytes)
        assert blocks == math.ceil(n_bytes / MOST)
        assert length in LENGTHS
        assert n_bytes <= blocks * length < n_bytes * 9 / 8 + blocks
    with pytest.raises(ValueError, match="expected >= 1"):
        blocks_of(0)


def test_a_receiver_tells_the_scheme_of_every_length_by_its_channel_uses() -> None:
    for length in LENGTHS:
        assert len({transport.uses_of(8 * length, mcs) for mcs in TABLE}) == len(TABLE)


@pytest.mark.parametrize("snr_db", [-2.0, 5.0, 10.5, 18.5])
@pytest.mark.parametrize("channel", [{}, {"model": "rayleigh", "csi": "genie"}])
def test_what_is_sent_comes_back(snr_db: float, channel: dict[str, object]) -> None:
    """Two blocks; with copies until both are right, which a margin of 6 dB (30 in the fade) makes likely."""
    run = config(snr_db + (30.0 if channel else 6.0), **channel)
    data, mcs = data_of(MOST + 7), transport.mcs_at(snr_db)
    sent = frames(data, run, mcs)
    air, reader = Air(run.channel, run.channel.snr_db_of(0)), BlockReader()
    assert [f.frame_id for f, *_ in sent] == [0, 1]
    assert sum(f.uses for f, *_ in sent) == uses_of(len(data), run.channel, mcs)
    blocks = [reader.read([heard(f, run)], air) for f, *_ in sent]
    assert None not in blocks
    assert b"".join(b for b in blocks if b is not None)[: len(data)] == data
    assert sum(f.energy for f, *_ in sent) == pytest.approx(sum(f.uses for f, *_ in sent), rel=0.1)


def test_blocks_that_fail_alone_are_right_together() -> None:
    """4 dB below what the scheme needs: new redundancy makes a code of half the rate of it."""
    mcs = TABLE[6]
    run = config(mcs.least_snr_db - 4.0)
    air, reader = Air(run.channel, run.channel.snr_db_of(0)), BlockReader()
    data = data_of(100)
    (attempts,) = frames(data, run, mcs)
    copies = [heard(replace(f, attempt=attempt), run) for attempt, f in enumerate(attempts)]
    assert reader.read(copies[:1], air) is None
    assert (reader.read(copies, air) or b"")[:100] == data


def test_noise_alone_is_no_block() -> None:
    run = config(0.0)
    air, reader = Air(run.channel, 0.0), BlockReader()
    for seed in range(40):
        ((frame, *_),) = frames(data_of(16, seed), run, TABLE[11], seed)
        assert reader.read([heard(frame, run)], air) is None


def test_versions_are_as_many_as_attempts_differ_in() -> None:
    (attempts,) = frames(b"once more", config(), TABLE[2])
    assert len({bytes(f.payload) for f in attempts}) == min(3, len(VERSIONS))
