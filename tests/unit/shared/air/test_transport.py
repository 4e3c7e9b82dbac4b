"""Blocks through LDPC and QAM: what comes back, when it fails, and that it says so."""

import math

import numpy as np
import pytest

from shared.air import transport
from shared.air.transport import CRC_BITS, MAX_BLOCK_BITS, TABLE, Copy, Mcs


def payload(n_bits: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, n_bits, np.uint8)


def received(symbols_U: np.ndarray, snr_db: float, attempt: int = 0, seed: int = 1) -> Copy:
    """Through AWGN; E|x|^2 = 1."""
    n0 = 10.0 ** (-snr_db / 10.0)
    rng = np.random.default_rng((seed, attempt))
    noise = rng.standard_normal(len(symbols_U)) + 1j * rng.standard_normal(len(symbols_U))
    return Copy(attempt, symbols_U + math.sqrt(n0 / 2) * noise, np.full(len(symbols_U), n0, np.float32))


@pytest.mark.parametrize("mcs", TABLE, ids=lambda mcs: f"{mcs.bits_per_symbol}x{mcs.rate_1024}")
@pytest.mark.parametrize("n_bits", [1, 140, 2_240])
def test_without_noise_every_scheme_gives_the_payload_back(mcs: Mcs, n_bits: int) -> None:
    bits = payload(n_bits)
    symbols = transport.encode(bits, mcs)
    assert len(symbols) == transport.uses_of(n_bits, mcs)
    assert transport.mcs_of(n_bits, len(symbols)) == mcs
    said, good = transport.decode([received(symbols, 40.0)], n_bits, mcs)
    np.testing.assert_array_equal(said, bits)
    assert good.all()


@pytest.mark.parametrize("mcs", TABLE[::4], ids=lambda mcs: f"{mcs.bits_per_symbol}x{mcs.rate_1024}")
def test_symbols_have_unit_average_power(mcs: Mcs) -> None:
    symbols = transport.encode(payload(20_000), mcs)
    assert np.mean(np.abs(symbols) ** 2) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("mcs", TABLE[::3], ids=lambda mcs: f"{mcs.bits_per_symbol}x{mcs.rate_1024}")
def test_at_its_least_snr_few_blocks_fail_and_2_db_below_nearly_all(mcs: Mcs) -> None:
    """At most 1% are meant to: of 60 blocks five or more would be a chance of one in 3,000."""
    block, n_blocks = 1_000, 60
    failed = {}
    for shift_db in (0.0, -2.0):
        failed[shift_db] = 0
        for seed in range(n_blocks):
            bits = payload(block, seed)
            copy = received(transport.encode(bits, mcs), mcs.least_snr_db + shift_db, seed=seed)
            said, good = transport.decode([copy], block, mcs)
            failed[shift_db] += not good.all()
            assert np.array_equal(said, bits) or not good.all(), "a wrong block that its CRC lets pass"
    assert failed[0.0] < 5
    assert failed[-2.0] > 0.8 * n_blocks


def test_copies_add_up_and_new_redundancy_does_more_than_repetition() -> None:
    """At 5 dB below what one attempt at rate 3/4 needs, two with new redundancy are one at 3/8."""
    mcs = next(m for m in TABLE if m.rate_1024 == 772)
    snr_db, block, n_blocks = mcs.least_snr_db - 5.0, 1_000, 12
    right = {"once": 0, "again": 0, "repeated": 0}
    for seed in range(n_blocks):
        bits = payload(block, seed)
        first = received(transport.encode(bits, mcs), snr_db, 0, seed)
        second = received(transport.encode(bits, mcs, 1), snr_db, 1, seed)
        same = received(transport.encode(bits, mcs, 4), snr_db, 4, seed)  # the first version's turn again
        for name, copies in (("once", [first]), ("again", [first, second]), ("repeated", [first, same])):
            right[name] += bool(transport.decode(copies, block, mcs)[1].all())
    assert right == {"once": 0, "again": n_blocks, "repeated": 0}


def test_a_long_payload_is_cut_and_a_spoilt_block_costs_no_other() -> None:
    mcs = TABLE[3]
    n_bits = 3 * (MAX_BLOCK_BITS - CRC_BITS) - 7
    blocks, block_bits = transport.blocks_of(n_bits)
    assert (blocks, block_bits) == (3, MAX_BLOCK_BITS - 2)
    symbols = transport.encode(payload(n_bits), mcs)
    uses = len(symbols) // blocks
    symbols[uses : 2 * uses] = symbols[uses : 2 * uses][::-1]
    said, good = transport.decode([received(symbols, 15.0)], n_bits, mcs)
    ends = [good[i * (block_bits - CRC_BITS)] for i in range(blocks)]
    assert ends == [True, False, True]
    np.testing.assert_array_equal(said[good], payload(n_bits)[good])


def test_the_scheme_follows_the_snr_and_lengths_tell_schemes_apart() -> None:
    assert transport.mcs_at(-30.0) == TABLE[0]
    assert transport.mcs_at(60.0) == TABLE[-1]
    for mcs in TABLE:
        assert transport.mcs_at(mcs.least_snr_db) == mcs
    speeds = [mcs.bits_per_use for mcs in TABLE]
    assert speeds == sorted(speeds)
    for n_bits in (84, 140, 1_344, 2_240, 100_000):
        lengths = [transport.uses_of(n_bits, mcs) for mcs in TABLE]
        assert len(set(lengths)) == len(TABLE)
    with pytest.raises(ValueError, match="no scheme has so many"):
        transport.mcs_of(140, 1)
    with pytest.raises(ValueError, match="expected >= 1"):
        transport.blocks_of(0)
