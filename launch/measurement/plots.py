"""Four plots of a measurement, as far as its rows differ in what they have on their axis."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from launch.measurement.rows import Row

_FIXED = {"snr_db": "{:g} dB", "point": "point {}", "users": "users {}", "overlap": "overlap {:g}"}
Value = Callable[[Row], float]


@dataclass(frozen=True, slots=True)
class _Panel:
    """`x` against `y`, a line for each value of `line`; of what else rows differ in (`fixed`), one value.

    `interval`: with that of the accuracy. A single user, who shares with nobody, begins every line of users.
    """

    title: str
    x_label: str
    y_label: str
    x: Value
    y: Value
    line: Callable[[Row], str]
    fixed: tuple[str, ...]
    interval: bool = False


def _sharing(row: Row) -> str:
    return "sharing" if row.sharing else "alone"


_PANELS = (
    _Panel(
        "Channel uses of the downlink",
        "users",
        "channel uses a request",
        lambda r: r.users,
        lambda r: r.uses_per_request,
        lambda r: f"overlap {r.overlap:g}, {_sharing(r)}",
        ("snr_db", "point"),
    ),
    _Panel(
        "Bytes on the wire",
        "users",
        "bytes a request",
        lambda r: r.users,
        lambda r: r.wire_bytes_per_request,
        lambda r: f"overlap {r.overlap:g}, {_sharing(r)}",
        ("snr_db", "point"),
    ),
    _Panel(
        "Accuracy against SNR",
        "average received Es/N0, dB",
        "accuracy, %",
        lambda r: r.snr_db,
        lambda r: 100 * r.accuracy,
        lambda r: f"{r.point}, {_sharing(r)}",
        ("users", "overlap"),
        interval=True,
    ),
    _Panel(
        "Accuracy against channel uses",
        "channel uses of the downlink, a request",
        "accuracy, %",
        lambda r: r.uses_per_request,
        lambda r: 100 * r.accuracy,
        lambda r: f"{r.snr_db:g} dB, {_sharing(r)}",
        ("users", "overlap"),
        interval=True,
    ),
)


def draw(rows: Sequence[Row], path: Path) -> bool:
    """Write the plots; False, and no file, where no axis has two values."""
    drawn = [panel for panel in _PANELS if len({panel.x(row) for row in rows}) > 1]
    if not drawn:
        return False
    columns = min(2, len(drawn))
    lines = -(-len(drawn) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(6.4 * columns, 4.4 * lines), squeeze=False)
    for axis in axes.flat[len(drawn) :]:
        axis.set_visible(False)
    for axis, panel in zip(axes.flat, drawn, strict=False):
        _draw(axis, panel, rows)
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=110)
    plt.close(figure)
    os.replace(partial, path)
    return True


def _draw(axis: Axes, panel: _Panel, rows: Sequence[Row]) -> None:
    """Of what is fixed the value with most rows, the last of equals: an SNR sweep's highest, say."""
    kept, said = list(rows), []
    for name in panel.fixed:
        values = [getattr(row, name) for row in kept]
        chosen = max(reversed(list(dict.fromkeys(values))), key=values.count)
        kept = [row for row in kept if getattr(row, name) == chosen]
        said.append(_FIXED[name].format(chosen))
    for name in dict.fromkeys(panel.line(row) for row in kept):
        line = [row for row in kept if panel.line(row) == name]
        if panel.x_label == "users":
            line += [row for row in kept if row.users == 1 and row.sharing == line[0].sharing]
        points = sorted({row.row: row for row in line}.values(), key=panel.x)
        x, y = [panel.x(row) for row in points], [panel.y(row) for row in points]
        if panel.interval:
            below = [100 * (row.accuracy - row.accuracy_low) for row in points]
            above = [100 * (row.accuracy_high - row.accuracy) for row in points]
            axis.errorbar(x, y, yerr=[below, above], fmt="-o", markersize=4, capsize=3, label=name)
        else:
            axis.plot(x, y, "-o", markersize=4, label=name)
    if not panel.interval:
        axis.set_ylim(bottom=0)
    if panel.x_label == "users":
        axis.set_xticks(sorted({row.users for row in kept}))
    axis.set_title(f"{panel.title} ({', '.join(said)})", fontsize=10)
    axis.set_xlabel(panel.x_label)
    axis.set_ylabel(panel.y_label)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
