"""Accuracy against erased tokens as a plot and as a table on a terminal."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from rich.table import Table

from launch.experiments.erasures import KINDS, Row

_STYLES: Final = {
    "bernoulli": ("o-", "#0072B2", "each token by itself (Bernoulli)"),
    "burst": ("s--", "#D55E00", "in bursts (Gilbert-Elliott)"),
}
_COLUMNS: Final = (
    "loss, %",
    "erased, %",
    "answered",
    "degraded",
    "accuracy (95%)",
    "n",
    "points : whole (95%)",
)


def draw(rows: Sequence[Row], path: Path) -> None:
    """A curve a kind, both from the run without losses; intervals are 95%."""
    figure, axes = plt.subplots(figsize=(6.8, 4.2))
    whole = [row for row in rows if row.kind == "none"]
    for kind in KINDS:
        line = sorted([*whole, *(r for r in rows if r.kind == kind)], key=lambda row: row.erased_share)
        if len(line) > len(whole):
            style, colour, label = _STYLES[kind]
            y = [100 * row.accuracy for row in line]
            below = [100 * (row.accuracy - row.accuracy_low) for row in line]
            above = [100 * (row.accuracy_high - row.accuracy) for row in line]
            x = [100 * row.erased_share for row in line]
            axes.errorbar(
                x, y, yerr=[below, above], fmt=style, color=colour, markersize=5, capsize=3, label=label
            )
    controls = [100 * row.control for row in whole if row.control is not None]
    if controls:
        axes.axhline(controls[0], color="#666666", linestyle=":", label="every image token erased, no other")
    axes.set_xlabel("erased of the tokens sent, %")
    axes.set_ylabel("accuracy, %")
    axes.set_xlim(left=-1)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8.5, frameon=False)
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=100)
    plt.close(figure)
    os.replace(partial, path)


def table_of(rows: Sequence[Row]) -> Table:
    table = Table(title="Accuracy against erased tokens, nothing sent again", title_justify="left")
    table.add_column("kind")
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.kind,
            f"{row.loss_percent:g}",
            f"{100 * row.erased_share:.2f}",
            f"{row.answered:,}",
            f"{row.degraded:,}",
            f"{100 * row.accuracy:.1f} ({100 * row.accuracy_low:.1f} to {100 * row.accuracy_high:.1f})",
            f"{row.n:,}",
            _points(row),
        )
    return table


def _points(row: Row) -> str:
    if row.against_whole is None:
        return ""
    low, high = row.against_whole_low, row.against_whole_high
    interval = "" if low is None or high is None else f" ({low:+.1f} to {high:+.1f})"
    return f"{row.against_whole:+.1f}{interval}"
