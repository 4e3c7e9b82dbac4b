"""The digital chain's error rates as tables on a terminal."""

from collections.abc import Sequence

from rich.table import Table

from launch.experiments.ldpc import CrcTries, ErrorRate


def rates_table(rates: Sequence[ErrorRate]) -> Table:
    table = Table(title="Blocks that failed, in % (95%), beside Sionna's own chain", title_justify="left")
    for name in ("bits a symbol", "rate x 1,024", "SNR, dB", "blocks", "here", "Sionna", "z", "agrees"):
        table.add_column(name, justify="right", no_wrap=True)
    for rate in rates:
        table.add_row(
            str(rate.bits_per_symbol),
            str(rate.rate_1024),
            f"{rate.snr_db:g}",
            f"{rate.blocks:,}",
            _share(rate.failed, rate.blocks, rate.low, rate.high),
            _share(rate.sionna_failed, rate.blocks, rate.sionna_low, rate.sionna_high),
            f"{rate.z:+.2f}",
            "yes" if rate.agrees else "no",
        )
    return table


def crc_table(tries: Sequence[CrcTries]) -> Table:
    table = Table(title="Wrong blocks whose CRC-24A held", title_justify="left")
    for name in ("bits a symbol", "rate x 1,024", "SNR, dB", "blocks", "wrong", "CRC held", "at most (95%)"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in tries:
        table.add_row(
            str(line.bits_per_symbol),
            str(line.rate_1024),
            f"{line.snr_db:g}",
            f"{line.blocks:,}",
            f"{line.wrong:,}",
            str(line.passed),
            f"{line.at_most:.1e}",
        )
    return table


def _share(failed: int, blocks: int, low: float, high: float) -> str:
    return f"{100 * failed / blocks:.1f} ({100 * low:.1f} to {100 * high:.1f})"
