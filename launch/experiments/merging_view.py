"""What merging saves and loses, as a plot and as a table on a terminal."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from rich.table import Table

from launch.experiments.merging import FamilyRow, Row

_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS: Final = {"within_image": "o-", "anywhere": "s--"}
_WORDS: Final = {"nowhere": "nothing", "within_image": "within images", "anywhere": "anywhere"}
_COLUMNS: Final = (
    "merged, %",
    "uses",
    "accuracy, % (95%)",
    "uses : ref",
    "points : ref (95%)",
    "at most",
    "relational",
    "others",
    "worst family",
)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Accuracy with its 95% interval against channel uses a request; a line for each k, kind and place."""
    figure, axes = plt.subplots(figsize=(7.0, 4.4))
    lines: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        if row.similar == "nowhere":
            _bars(axes, [row], "D", _COLOURS[-1], f"k = {row.split_layer}, nothing merged")
        else:
            lines.setdefault((row.split_layer, row.compare_at, row.similar), []).append(row)
    for number, ((split, place, similar), line) in enumerate(lines.items()):
        line.sort(key=lambda row: row.uses_per_request)
        label = f"k = {split}, {_WORDS[similar]}, compared at the {place}"
        _bars(axes, line, _MARKS[similar], _COLOURS[number % (len(_COLOURS) - 1)], label)
    axes.set_xlabel("channel uses of the downlink a request")
    axes.set_ylabel("accuracy, %")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=100)
    plt.close(figure)
    os.replace(partial, path)


def _bars(axes: Axes, line: Sequence[Row], style: str, colour: str, label: str) -> None:
    axes.errorbar(
        [row.uses_per_request for row in line],
        [100 * row.accuracy for row in line],
        yerr=[
            [100 * (row.accuracy - row.accuracy_low) for row in line],
            [100 * (row.accuracy_high - row.accuracy) for row in line],
        ],
        fmt=style,
        color=colour,
        markersize=5,
        capsize=3,
        label=label,
    )


def table_of(rows: Sequence[Row]) -> Table:
    title = "Similar tokens merged, channel uses of the downlink a request; `ref` is the kind of row before"
    table = Table(title=title, title_justify="left")
    table.add_column("row", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        worst = "" if row.worst_family is None else row.worst_family
        table.add_row(
            row.row,
            f"{100 * row.merged_share:.1f}",
            f"{row.uses_per_request:,.0f}",
            f"{100 * row.accuracy:.1f} ({100 * row.accuracy_low:.1f} to {100 * row.accuracy_high:.1f})",
            "" if row.uses_ratio is None else f"{row.uses_ratio:.3f}",
            _difference(row),
            _points(row.loss_bound),
            _points(row.relational_loss_bound),
            _points(row.other_loss_bound),
            f"{worst} {_points(row.worst_family_loss_bound)}".strip(),
        )
    return table


def family_table(families: Sequence[FamilyRow]) -> Table:
    """A line a row, a column a family."""
    title = "Points lost against `ref` by each family of questions, and in brackets at most (one-sided 95%)"
    table = Table(title=title, title_justify="left")
    names = sorted({family.family for family in families})
    table.add_column("row", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    found: dict[str, dict[str, str]] = {}
    for family in families:
        bound = "" if family.loss_bound is None else f" ({_points(family.loss_bound)})"
        found.setdefault(family.row, {})[family.family] = f"{_points(family.loss)}{bound}"
    for row, cells in found.items():
        table.add_row(row, *(cells.get(name, "") for name in names))
    return table


def _difference(row: Row) -> str:
    if row.points is None:
        return ""
    if row.points_low is None or row.points_high is None:
        return f"{row.points:+.1f}"
    return f"{row.points:+.1f} ({row.points_low:+.1f} to {row.points_high:+.1f})"


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:z.1f}"  # no -0.0
