"""Coded index maps in too much noise: unread alone, read together; nothing is kept for ever."""

from dataclasses import replace

import pytest

from channel_emulator.air import Air as Emulator
from shared import index_map
from shared.air.side_info import on_air
from shared.config_file import parse_config
from shared.index_map import IndexMap
from shared.token_runs import Run, TokenState
from shared.wire.messages import SideInfo
from userequipment import side_copies
from userequipment.channel_decode import Air
from userequipment.side_copies import SideReader

IMAGE_LENGTH, SNR_DB, WORSE_DB = 100, 6.0, 5.0
CONFIG = parse_config(
    {"users": 1, "channel": {"model": "awgn", "snr_db": SNR_DB, "side_info": "ldpc"}}, "test"
)
WORSE = parse_config(
    {"users": 1, "channel": {"model": "awgn", "snr_db": SNR_DB - WORSE_DB, "side_info": "ldpc"}}, "test"
)
MAP = IndexMap("vqa", True, False, 3, (64, 64), (Run(TokenState.PRIVATE, 103),))


def check(payload: bytes) -> None:
    index_map.decode(payload, IMAGE_LENGTH)


def sent(number: int, attempt: int = 0) -> SideInfo:
    """Of one request; for the SNR that the base station believes in."""
    payload, n_bits = index_map.encode(MAP)
    carried = on_air(CONFIG.channel, SNR_DB, payload, n_bits)
    return SideInfo(
        user=0, request_id=f"r{number}", group_id=number, attempt=attempt, first_use=0, deadline_ms=1_000,
        frames=((0, 1, 0, 103),), **carried,
    )  # fmt: skip


def heard(number: int, attempt: int = 0) -> SideInfo:
    return Emulator(WORSE).receive_side(sent(number, attempt))


AIR = Air(CONFIG.channel, SNR_DB)


def test_copies_that_cannot_be_read_alone_are_read_together() -> None:
    read = {"alone": 0, "two": 0, "three": 0}
    for number in range(20):
        reader = SideReader(check)
        found = [reader.read(heard(number, attempt), AIR) for attempt in range(3)]
        read["alone"] += found[0] is not None
        read["two"] += found[0] is None and found[1] is not None
        read["three"] += any(f is not None for f in found)
        for side in found:
            if side is not None:
                assert index_map.decode(side.payload, IMAGE_LENGTH) == MAP
    assert read["alone"] < 10
    assert read["two"] > 5
    assert read["three"] == 20


def test_the_same_copy_twice_is_no_second_one() -> None:
    number = next(n for n in range(20) if SideReader(check).read(heard(n), AIR) is None)
    reader = SideReader(check)
    assert [reader.read(heard(number), AIR) for _ in range(3)] == [None] * 3


def test_damaged_samples_and_other_lengths_count_for_nothing() -> None:
    reader = SideReader(check)
    whole = sent(0)
    assert reader.read(replace(whole, payload=bytes(4)), AIR) is None
    shorter = replace(whole, uses=whole.uses - 2, payload=bytes(whole.payload)[:-8])
    assert reader.read(shorter, AIR) is None
    assert reader.read(replace(whole, attempt=1), AIR) is not None


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_copies, "MAX_REQUESTS", 2)
    unread = [n for n in range(40) if SideReader(check).read(heard(n), AIR) is None][:3]
    reader = SideReader(check)
    for number in unread:
        assert reader.read(heard(number), AIR) is None
    assert len(reader._unread) == 2
