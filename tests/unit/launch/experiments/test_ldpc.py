"""The short form of `m4sc experiment ldpc`: the digital chain fails as often as Sionna's own does."""

from pathlib import Path

import pytest
from pyarrow import parquet

from launch.experiments.ldpc import BELOW_DB, Choice, all_agree, at_most, measure
from launch.experiments.ldpc_view import crc_table, rates_table

BLOCKS = 100


def test_block_error_rates_are_those_of_sionnas_own_chain(tmp_path: Path) -> None:
    """Frames, emulator and reader at three points of one waterfall."""
    choice = Choice(schemes=(3,), blocks=BLOCKS, n_bytes=64, crc_tries=300, seed=1)
    said: list[str] = []
    rates, tries = measure(choice, tmp_path / "out", said.append)
    assert all_agree(rates, tries), said
    assert [rate.snr_db for rate in rates] == pytest.approx([3.0 - below for below in BELOW_DB])
    shares = [rate.failed / BLOCKS for rate in rates]
    assert shares == sorted(shares)
    assert shares[0] < 0.3 < 0.7 < shares[-1], "points where nothing can be seen"
    assert rates[0].high < rates[-1].sionna_low, "too few blocks to tell one point from another"
    (line,) = tries
    assert line.wrong >= 300
    assert line.wrong > 0.8 * line.blocks
    assert parquet.read_table(tmp_path / "out" / "ldpc_crc.parquet").num_rows == 1
    assert (rates_table(rates).row_count, crc_table(tries).row_count) == (3, 1)


def test_what_does_not_agree_and_what_passed_is_said() -> None:
    from launch.experiments.ldpc import CrcTries, error_rates

    rates = error_rates(Choice((11,), 50, 4, 0, 1), lambda line: None)
    assert all_agree(rates, [])
    assert not all_agree([rates[0].model_copy(update={"agrees": False})], [])
    passed = CrcTries(
        bits_per_symbol=2,
        rate_1024=251,
        snr_db=0,
        n_bytes=1,
        blocks=9,
        wrong=8,
        passed=1,
        at_most=0.5,
        seed=1,
    )
    assert not all_agree(rates, [passed])


@pytest.mark.parametrize(
    ("passed", "tries", "rate"), [(0, 100_000, 2.9957e-5), (1, 1_000, 4.7345e-3), (0, 1, 0.95)]
)
def test_bounds_are_clopper_and_pearsons(passed: int, tries: int, rate: float) -> None:
    assert at_most(passed, tries) == pytest.approx(rate, rel=1e-3)
