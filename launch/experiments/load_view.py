"""Latency against the rate of requests as a plot, and as a table on a terminal."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter
from rich.table import Table

from launch.experiments.load import IN_TIME, Measured, Outcome, Row
from launch.workload.arrivals import part_s

_COLUMNS: Final = (
    "asked a second",
    "s",
    "asked",
    "answered",
    "busy",
    "other",
    "answered a second",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "p99 : lowest",
)
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#666666"


def draw(measured: Measured, path: Path) -> None:
    """Percentiles against the rate; and every request of the overload's run, when it came."""
    outcome, over, came = measured.outcome, measured.over, measured.came
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.2))
    steady = [row for row in outcome.rows if row.kind == "steady"]
    rates = [row.rate_per_s for row in steady]
    for name, style, colour in (("p99_ms", "o-", _BLUE), ("p50_ms", "s--", _GREY)):
        left.plot(rates, [getattr(row, name) for row in steady], style, color=colour, label=name[:3])
    left.axhline(IN_TIME * outcome.unloaded_p99_ms, color=_ORANGE, linestyle=":", label="2 x p99, unloaded")
    left.set(xscale="log", yscale="log", xlabel="requests a second (Poisson)", ylabel="latency, ms")
    left.set_xticks(rates, [f"{rate:g}" for rate in rates], minor=False)
    left.set_xticks([], minor=True)
    left.tick_params(axis="x", labelrotation=45)
    left.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    left.yaxis.set_major_formatter("{x:,.0f}")
    left.yaxis.set_minor_formatter(NullFormatter())
    left.grid(alpha=0.3)
    left.legend(fontsize=8.5, frameon=False)

    length_s = part_s(over.rates_per_s, over.requests)
    low, high = over.rates_per_s[:2]
    right.axvspan(length_s, 2 * length_s, color=_ORANGE, alpha=0.12, label=f"{high:g} a second")
    served = [(r.arrival_s, r.latency_ms) for r in came if r.latency_ms is not None]
    refused = [r.arrival_s for r in came if r.busy]
    if served:
        right.plot(*zip(*served, strict=True), ".", color=_BLUE, markersize=4, label="answered")
    right.plot(refused, [0.0] * len(refused), "|", color=_ORANGE, markersize=9, label="refused: busy")
    right.axhline(IN_TIME * outcome.unloaded_p99_ms, color=_ORANGE, linestyle=":")
    right.set(xlabel=f"s; before and after, {low:g} a second", ylabel="latency, ms")
    right.grid(alpha=0.3)
    right.legend(fontsize=8.5, framealpha=0.85, edgecolor="none")
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=100)
    plt.close(figure)
    os.replace(partial, path)


def table_of(rows: Sequence[Row]) -> Table:
    table = Table(title="Latency against load, from the intended arrival", title_justify="left")
    table.add_column("kind")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.kind,
            f"{row.rate_per_s:g}",
            f"{row.lasted_s:.0f}",
            f"{row.attempted:,}",
            f"{row.answered:,}",
            f"{row.busy:,}",
            f"{row.other:,}",
            f"{row.answered_per_s:.2f}",
            *("–" if value is None else f"{value:,.0f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms)),
            "–" if row.p99_ratio is None else f"{row.p99_ratio:.2f}",
        )
    return table


def said(outcome: Outcome) -> list[str]:
    """Lines under the table."""
    too_high = "none tried was too high"
    if outcome.too_high_per_s is not None:
        too_high = f"{outcome.too_high_per_s:g} a second are too many"
    after = outcome.recovered_after_s
    return [
        f"in time   p99 below {IN_TIME:g} x {outcome.unloaded_p99_ms:,.0f} ms: up to "
        f"{outcome.highest_per_s:g} a second; {too_high}",
        f"lost      {max(row.lost for row in outcome.rows)}",
        "recovery  " + ("not seen" if after is None else f"{after:.1f} s after the load fell"),
    ]
