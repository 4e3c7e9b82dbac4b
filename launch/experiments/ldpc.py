"""`m4sc experiment ldpc`: how often blocks of the digital chain fail, and what its CRC lets pass.

The chain is what schemes that send bytes use: blocks as frames, through the emulator's AWGN, to the UE's
reader. Beside it stands Sionna's: its blocks alone, with its own noise. SNR is average received Es/N0; N0 =
10^(-SNR/10).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from launch.intervals import wilson
from launch.measurement.rows import write_table
from shared.air import byte_blocks, transport
from shared.air.transport import TABLE, Mcs
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.rng import generator

RATES_FILE, CRC_FILE = "ldpc_block_errors.csv", "ldpc_crc.csv"
BELOW_DB: Final = (0.5, 0.8, 1.2)
"""How far below a scheme's least SNR its blocks are sent: on its waterfall."""
LEVEL: Final = 0.001
"""How probable it may be, over all points together, that equal error rates are called different."""
CRC_BELOW_DB: Final = 2.0
CRC_BYTES: Final = 16
_BATCH: Final = 500
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """`schemes`: rows of the table of modulations and rates. `blocks`: at each point, of `n_bytes` each."""

    schemes: tuple[int, ...]
    blocks: int
    n_bytes: int
    crc_tries: int
    seed: int


class ErrorRate(BaseModel):
    """A point: of `blocks` blocks so many failed, here and by Sionna; 95% intervals are Wilson's.

    `z`: the difference in standard deviations; `agrees`: within what `LEVEL` allows for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    bits_per_symbol: int
    rate_1024: int
    snr_db: float
    n_bytes: int
    blocks: int
    failed: int
    low: float
    high: float
    sionna_failed: int
    sionna_low: float
    sionna_high: float
    z: float
    agrees: bool
    seed: int


class CrcTries(BaseModel):
    """Of `wrong` blocks that came out wrong, `passed` had a CRC that held; `at_most`: one-sided 95% bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    bits_per_symbol: int
    rate_1024: int
    snr_db: float
    n_bytes: int
    blocks: int
    wrong: int
    passed: int
    at_most: float
    seed: int


def measure(choice: Choice, out: Path, say: Say) -> tuple[list[ErrorRate], list[CrcTries]]:
    """All points and tries; written as CSV and Parquet."""
    out.mkdir(parents=True, exist_ok=True)
    rates = error_rates(choice, say)
    write_table(out / RATES_FILE, [rate.model_dump() for rate in rates])
    tries = crc_tries(choice, say) if choice.crc_tries else []
    if tries:
        write_table(out / CRC_FILE, [line.model_dump() for line in tries])
    return rates, tries


def error_rates(choice: Choice, say: Say) -> list[ErrorRate]:
    points = [(TABLE[number], below) for number in choice.schemes for below in BELOW_DB]
    bound = NormalDist().inv_cdf(1 - LEVEL / len(points) / 2)
    return [_error_rate(choice, mcs, mcs.least_snr_db - below, bound, say) for mcs, below in points]


def _error_rate(choice: Choice, mcs: Mcs, snr_db: float, bound: float, say: Say) -> ErrorRate:
    n = choice.blocks
    failed = failures(mcs, snr_db, n, choice.n_bytes, choice.seed)
    theirs = sionnas_failures(mcs, snr_db, n, choice.n_bytes, choice.seed)
    pooled = (failed + theirs) / (2 * n)
    spread = math.sqrt(2 * pooled * (1 - pooled) / n)
    z = (failed - theirs) / n / spread if spread else 0.0
    say(f"{_name(mcs)} at {snr_db:g} dB: {failed} of {n} blocks failed, {theirs} by Sionna's chain")
    low, high = wilson(failed, n)
    their_low, their_high = wilson(theirs, n)
    return ErrorRate(
        bits_per_symbol=mcs.bits_per_symbol,
        rate_1024=mcs.rate_1024,
        snr_db=snr_db,
        n_bytes=choice.n_bytes,
        blocks=n,
        failed=failed,
        low=low,
        high=high,
        sionna_failed=theirs,
        sionna_low=their_low,
        sionna_high=their_high,
        z=z,
        agrees=abs(z) < bound,
        seed=choice.seed,
    )


def failures(mcs: Mcs, snr_db: float, blocks: int, n_bytes: int, seed: int) -> int:
    """Blocks that the UE's reader does not get. Raises ValueError for a wrong one that its CRC lets pass."""
    from channel_emulator.air import Air as Emulator
    from channel_emulator.air import open_frame
    from userequipment.block_reader import BlockReader
    from userequipment.channel_decode import Air

    run = _config(snr_db, seed)
    emulator, air, reader = Emulator(run), Air(run.channel, snr_db), BlockReader()
    rng = generator(seed, "ldpc", "bytes")
    failed = 0
    for group in range(blocks):
        data = rng.bytes(n_bytes)
        ((frame, *_),) = byte_blocks.frames_of(
            data,
            run.channel,
            mcs,
            1,
            stream="public",
            users=(0,),
            group_id=group,
            first_frame=0,
            first_byte=0,
        )
        block = reader.read([emulator.receive(open_frame(frame), 0)], air)
        if block is not None and block[:n_bytes] != data:
            raise ValueError(f"{_name(mcs)} at {snr_db:g} dB: a wrong block that its CRC lets pass")
        failed += block is None
    return failed


def sionnas_failures(mcs: Mcs, snr_db: float, blocks: int, n_bytes: int, seed: int) -> int:
    """Blocks whose bits come back wrong through Sionna's own blocks, nothing of this project between."""
    import sionna.phy
    import torch
    from sionna.phy.channel import AWGN
    from sionna.phy.fec.crc import CRCEncoder
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
    from sionna.phy.mapping import Demapper, Mapper

    _, length = byte_blocks.blocks_of(n_bytes)
    m, k = mcs.bits_per_symbol, 8 * length + transport.CRC_BITS
    encoder = LDPC5GEncoder(k, mcs.coded_bits(k), num_bits_per_symbol=m, device="cpu")
    decoder = LDPC5GDecoder(encoder, num_iter=transport.ITERATIONS, hard_out=True, device="cpu")
    add_crc = CRCEncoder(transport.CRC, k=8 * length, device="cpu")
    mapper, demapper = Mapper("qam", m, device="cpu"), Demapper("app", "qam", m, device="cpu")
    channel, n0 = AWGN(device="cpu"), torch.tensor(10.0 ** (-snr_db / 10.0))
    rng = generator(seed, "ldpc", "sionna")
    failed = 0
    sionna.phy.config.seed = int(rng.integers(2**31))  # its blocks draw from generators of its own
    with torch.inference_mode():
        for start in range(0, blocks, _BATCH):
            shape = (min(_BATCH, blocks - start), 8 * length)
            bits_BK = add_crc(torch.from_numpy(rng.integers(0, 2, shape).astype(np.float32)))
            said_BK = decoder(demapper(channel(mapper(encoder(bits_BK)), n0), n0))
            failed += int((said_BK != bits_BK).any(-1).sum())
    return failed


def crc_tries(choice: Choice, say: Say) -> list[CrcTries]:
    """Short blocks 2 dB below what each scheme needs, until so many of all came out wrong."""
    each = -(-choice.crc_tries // len(choice.schemes))
    return [_tries(TABLE[number], each, choice.seed, say) for number in choice.schemes]


def _tries(mcs: Mcs, wanted: int, seed: int, say: Say) -> CrcTries:
    snr_db, payload_bits = mcs.least_snr_db - CRC_BELOW_DB, 8 * CRC_BYTES
    n0 = 10.0 ** (-snr_db / 10.0)
    rng = generator(seed, "ldpc", "crc", _name(mcs))
    blocks = wrong = passed = 0
    while wrong < wanted:
        bits_BP = rng.integers(0, 2, (_BATCH, payload_bits)).astype(np.uint8)
        symbols = transport.encode_blocks(bits_BP, mcs)
        noise = rng.standard_normal(symbols.shape) + 1j * rng.standard_normal(symbols.shape)
        received = (symbols + math.sqrt(n0 / 2) * noise).reshape(-1)
        copy = transport.Copy(0, received, np.full(received.shape, n0, np.float32))
        said_BP, good_B = transport.decode_blocks([copy], _BATCH, payload_bits, mcs)
        is_wrong_B = (said_BP != bits_BP).any(1)
        blocks += _BATCH
        wrong += int(is_wrong_B.sum())
        passed += int((is_wrong_B & good_B).sum())
    say(f"{_name(mcs)} at {snr_db:g} dB: {wrong:,} of {blocks:,} blocks wrong, the CRC of {passed} held")
    return CrcTries(
        bits_per_symbol=mcs.bits_per_symbol,
        rate_1024=mcs.rate_1024,
        snr_db=snr_db,
        n_bytes=CRC_BYTES,
        blocks=blocks,
        wrong=wrong,
        passed=passed,
        at_most=at_most(passed, wrong),
        seed=seed,
    )


def at_most(passed: int, tries: int) -> float:
    """The rate that one would see more than `passed` of with 95% (Clopper & Pearson 1934, one-sided)."""
    low, high = 0.0, 1.0
    for _ in range(100):
        rate = (low + high) / 2
        fewer = sum(
            math.exp(
                math.lgamma(tries + 1) - math.lgamma(k + 1) - math.lgamma(tries - k + 1)
                + k * math.log(rate) + (tries - k) * math.log1p(-rate)
            )
            for k in range(passed + 1)
        )  # fmt: skip
        low, high = (rate, high) if fewer > 0.05 else (low, rate)
    return high


def all_agree(rates: Sequence[ErrorRate], tries: Sequence[CrcTries]) -> bool:
    return all(rate.agrees for rate in rates) and not any(line.passed for line in tries)


def _config(snr_db: float, seed: int) -> RunConfig:
    air = {"model": "awgn", "snr_db": snr_db, "sample_format": "cf32"}
    return parse_config({"users": 1, "seed": seed, "scheme": "webp_ldpc", "channel": air}, "ldpc")


def _name(mcs: Mcs) -> str:
    return f"{2**mcs.bits_per_symbol}QAM {mcs.rate_1024}/1024"
