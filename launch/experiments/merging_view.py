"""What merging across images saves and loses, as a plot and as a table on a terminal."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from rich.table import Table

from launch.experiments.merging import Row

ALLOWED_LOSS: Final = 2.0
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS: Final = {"split": "o-", "projector": "s--"}
_COLUMNS: Final = (
    "k",
    "cosine",
    "merged, %",
    "uses : reference",
    "accuracy (95%)",
    "points : reference (95%)",
    "loss at most",
    "relational",
    "others",
    "worst family",
)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Loss (bar: one-sided 95%) against what is left of the channel uses; a line for each k and place."""
    figure, axes = plt.subplots(figsize=(7.0, 4.4))
    splits = list(dict.fromkeys(row.split_layer for row in rows))
    for split in splits:
        for place, style in _MARKS.items():
            line = [
                row
                for row in rows
                if row.split_layer == split and row.compare_at == place and row.points is not None
            ]
            line.sort(key=lambda row: row.uses_ratio or 0.0)
            if not line:
                continue
            losses = [-(row.points or 0.0) for row in line]
            above = [
                max(0.0, (row.loss_bound if row.loss_bound is not None else loss) - loss)
                for row, loss in zip(line, losses, strict=True)
            ]
            axes.errorbar(
                [100 * (row.uses_ratio or 0.0) for row in line],
                losses,
                yerr=[[0.0] * len(line), above],
                fmt=style,
                color=_COLOURS[splits.index(split) % len(_COLOURS)],
                markersize=5,
                capsize=3,
                label=f"k = {split}, compared at the {place}",
            )
    axes.axhline(ALLOWED_LOSS, color="#666666", linestyle=":", label=f"{ALLOWED_LOSS:g} points")
    axes.set_xlabel("channel uses of the downlink, % of merging within images only")
    axes.set_ylabel("loss of accuracy, points")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8.5, frameon=False)
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=100)
    plt.close(figure)
    os.replace(partial, path)


def table_of(rows: Sequence[Row]) -> Table:
    title = "Similar tokens of different images merged, against within images only"
    table = Table(title=title, title_justify="left")
    table.add_column("compared at")
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        worst = (
            "" if row.worst_family is None else f"{row.worst_family} {_points(row.worst_family_loss_bound)}"
        )
        table.add_row(
            "within images" if row.cosine is None else row.compare_at,
            str(row.split_layer),
            "" if row.cosine is None else f"{row.cosine:g}",
            f"{100 * row.merged_share:.1f}",
            "" if row.uses_ratio is None else f"{row.uses_ratio:.3f}",
            f"{100 * row.accuracy:.1f} ({100 * row.accuracy_low:.1f} to {100 * row.accuracy_high:.1f})",
            _difference(row),
            _points(row.loss_bound),
            _points(row.relational_loss_bound),
            _points(row.other_loss_bound),
            worst,
        )
    return table


def _difference(row: Row) -> str:
    if row.points is None:
        return ""
    if row.points_low is None or row.points_high is None:
        return f"{row.points:+.1f}"
    return f"{row.points:+.1f} ({row.points_low:+.1f} to {row.points_high:+.1f})"


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
