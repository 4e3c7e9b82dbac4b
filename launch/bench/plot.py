"""The lines of a bench as a picture: ratios to the references, and the comparator's seconds over tokens."""

import os
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from launch.bench.comparator import ALL_PAIRS
from launch.bench.line import Line
from launch.errors import LaunchError

_COLOURS = {True: "#2a7f3f", False: "#b3402a", None: "#6b7a8f"}
_SAID = {True: "target met", False: "target missed", None: "no target"}


def draw(lines: Sequence[Line], path: Path) -> None:
    """Raises `LaunchError` where there is nothing to draw, or the file cannot be written."""
    rated = [line for line in lines if line.ratio is not None and line.ratio.median > 0]
    grown = [line for line in lines if line.name.removeprefix("comparator.").isdigit()]
    if not rated and not grown:
        raise LaunchError("--plot: none of these lines has a reference")
    bars, curves = bool(rated), len(grown) > 1
    height = max(3.2, 0.8 + 0.24 * len(rated))
    widths = [7.6] * bars + [5.6] * curves
    figure, axes = plt.subplots(
        1, len(widths), figsize=(sum(widths), height), squeeze=False, width_ratios=widths
    )
    panels = list(axes.flat)
    if bars:
        _bars(panels.pop(0), rated)
    if curves:
        _curves(panels.pop(0), grown)
    figure.tight_layout()
    fresh = path.with_name(path.name + ".tmp.png")
    try:
        figure.savefig(fresh, dpi=110)
        os.replace(fresh, path)
    except OSError as error:
        raise LaunchError(f"--plot {path}: cannot be written ({error.strerror})") from None
    finally:
        plt.close(figure)


def _bars(axis: Axes, lines: Sequence[Line]) -> None:
    places = range(len(lines))
    ratios = [line.ratio for line in lines if line.ratio is not None]
    middles = [ratio.median for ratio in ratios]
    spreads = [
        [ratio.median - ratio.low for ratio in ratios],
        [ratio.high - ratio.median for ratio in ratios],
    ]
    axis.barh(
        places,
        [middle - 1 for middle in middles],
        left=1,
        xerr=spreads,
        color=[_COLOURS[line.met] for line in lines],
        error_kw={"linewidth": 0.8},
    )
    aimed = [(at, line.target) for at, line in enumerate(lines) if line.target is not None]
    bounds = [(at, target.bound) for at, target in aimed if target.of == "ratio"]
    axis.plot([x for _, x in bounds], [at for at, _ in bounds], "k|", markersize=11)
    axis.set_xscale("log")
    axis.set_yticks(places, [line.name for line in lines], fontsize=7)
    axis.set_ylim(len(lines) - 0.4, -0.6)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_xlabel("times better than the reference")
    axis.grid(alpha=0.3, axis="x")
    seen = {line.met for line in lines}
    keys = [Patch(color=colour, label=_SAID[met]) for met, colour in _COLOURS.items() if met in seen]
    mark = [Line2D([], [], color="black", marker="|", linestyle="", markersize=11, label="target, a ratio")]
    axis.legend(handles=[*keys, *(mark if bounds else [])], fontsize=8, loc="lower right")


def _curves(axis: Axes, lines: Sequence[Line]) -> None:
    users = [int(line.name.removeprefix("comparator.")) for line in lines]
    axis.plot(users, [line.value.median for line in lines], "-o", label="neighbours (basestation/similar.py)")
    known = [
        (count, line.reference_value.median)
        for count, line in zip(users, lines, strict=True)
        if line.reference_value is not None
    ]
    if known:
        axis.plot([count for count, _ in known], [s for _, s in known], "-s", label=ALL_PAIRS)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("users")
    axis.set_ylabel("seconds")
    axis.set_title("comparator", fontsize=10)
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8)
