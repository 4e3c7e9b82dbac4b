"""Plots as SVG text, drawn by matplotlib's Agg-free SVG backend: no display, no network."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from launch.live_table import human_bytes, human_count
from launch.report.palette import CLASS_COLOURS, INK

MAX_USERS = 32
"""Bars of more users cannot be told apart."""

_COLUMN_OF = {
    "public": "public_bytes_share",
    "private": "private_bytes",
    "side": "side_bytes",
    "pilots": "pilot_bytes",
    "control": "control_bytes",
    "feedback": "feedback_bytes",
}


def bytes_and_uses(summary: Mapping[str, Any]) -> str:
    """Two panels: wire bytes per user, stacked by class, and channel uses per user."""
    users: Sequence[Mapping[str, Any]] = summary["users"][:MAX_USERS]
    figure = new_figure(9.4, 1.35 + 0.3 * len(users))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = range(len(users))
    start = [0] * len(users)
    for name, column in _COLUMN_OF.items():
        widths = [user[column] for user in users]
        if any(widths):
            left.barh(places, widths, left=start, height=0.66, color=CLASS_COLOURS[name], label=name)
        start = [a + b for a, b in zip(start, widths, strict=True)]
    _end_labels(left, start, human_bytes)
    left.set_yticks(list(places), [f"user {u['user']}  {u['snr_db']:g} dB" for u in users])
    left.invert_yaxis()
    left.set_title("wire bytes, all classes", loc="left")
    left.xaxis.set_major_formatter(lambda value, _: human_bytes(int(value)))
    uses = [user["channel_uses"] for user in users]
    right.barh(places, uses, height=0.66, color="#555555")
    _end_labels(right, uses, human_count)
    right.set_title("channel uses (complex symbols)", loc="left")
    right.xaxis.set_major_formatter(lambda value, _: human_count(int(value)))
    handles, labels = left.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return as_svg(figure)


def drops_by_reason(drops: Sequence[Mapping[str, Any]]) -> str:
    """Messages that went no further: a bar a reason, in parts by where they were dropped."""
    reasons = list(dict.fromkeys(str(line["reason"]) for line in drops))
    figure = new_figure(9.4, 1.1 + 0.3 * len(reasons))
    axes = figure.subplots()
    start = [0] * len(reasons)
    for end, colour in (("bs", "#0072B2"), ("ce", "#E69F00"), ("ue", "#009E73"), ("agent", "#999999")):
        widths = [
            sum(line["frames"] for line in drops if line["reason"] == reason and line["end"] == end)
            for reason in reasons
        ]
        if any(widths):
            axes.barh(range(len(reasons)), widths, left=start, height=0.66, color=colour, label=f"at {end}")
        start = [a + b for a, b in zip(start, widths, strict=True)]
    _end_labels(axes, start, human_count)
    axes.set_yticks(range(len(reasons)), reasons)
    axes.invert_yaxis()
    axes.set_title("messages dropped, by reason", loc="left")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return as_svg(figure)


def latency_by_stage(summary: Mapping[str, Any]) -> str:
    """Median of each stage as a bar, the 95th percentile as a mark; logarithmic, as stages differ a lot."""
    stages: Mapping[str, Mapping[str, float]] = summary["latency_ms"]["by_stage"]
    rows = [("request, all stages", summary["latency_ms"]), *stages.items()]
    rows = [(name, line) for name, line in rows if line["p50"] is not None]
    figure = new_figure(9.4, 0.9 + 0.3 * len(rows))
    axes = figure.subplots()
    places = range(len(rows))
    medians = [max(line["p50"], 0.01) for _, line in rows]
    tails = [max(line["p95"], 0.01) for _, line in rows]
    axes.set_xscale("log")
    axes.barh(places, medians, height=0.62, color=["#333333"] + ["#0072B2"] * (len(rows) - 1))
    axes.plot(
        tails, places, "|", color="#D55E00", markersize=12, markeredgewidth=2.4, label="95th percentile"
    )
    for place, (_, line) in enumerate(rows):
        x = max(medians[place], tails[place])
        axes.annotate(
            f"{line['p50']:.3g} / {line['p95']:.3g} ms", (x, place), (7, 0), textcoords="offset points",
            va="center", color=INK, fontsize=8.5,
        )  # fmt: skip
    axes.set_yticks(list(places), [name.replace("_", " ") for name, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(right=max(tails) * 6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title("median (bar) and 95th percentile (mark), milliseconds", loc="left")
    return as_svg(figure)


def accuracy_bars(task: Mapping[str, Any], macro_of: Sequence[str]) -> str:
    """Accuracy by kind, with 95% intervals, beside the control."""
    names = [name for name in macro_of if name in task["by_kind"]] or list(task["by_kind"])
    lines = [
        (name, task["by_kind"][name], task.get("control", {}).get("by_kind", {}).get(name)) for name in names
    ]
    if "macro" in task:
        lines.append(("macro average", task["macro"], task.get("control", {}).get("macro")))
    figure = new_figure(9.4, 0.95 + 0.42 * len(lines))
    axes = figure.subplots()
    for place, (_, line, control) in enumerate(lines):
        _bar(axes, place - 0.18, line, "#0072B2", "answers" if place == 0 else None)
        if control is not None:
            _bar(axes, place + 0.18, control, "#BBBBBB", "image tokens erased" if place == 0 else None)
    axes.set_yticks(range(len(lines)), [f"{name}  (n = {line['total']})" for name, line, _ in lines])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_title("accuracy, with 95% intervals", loc="left")
    if any(control is not None for _, _, control in lines):
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return as_svg(figure)


def _bar(axes: Axes, place: float, line: Mapping[str, Any], colour: str, label: str | None) -> None:
    low, high = line["interval95"]
    share = line["accuracy"]
    axes.barh([place], [share], height=0.34, color=colour, label=label)
    axes.plot([low, high], [place, place], color=INK, linewidth=1.3)
    axes.annotate(
        f"{100 * share:.1f}", (max(high, share), place), (5, 0), textcoords="offset points", va="center",
        color=INK, fontsize=8.5,
    )  # fmt: skip


def new_figure(width: float, height: float) -> Figure:
    """Empty, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _end_labels(axes: Axes, ends: Sequence[int], text: Any) -> None:
    for place, end in enumerate(ends):
        axes.annotate(
            text(end), (end, place), (4, 0), textcoords="offset points", va="center", color=INK, fontsize=8.5
        )
    axes.set_xlim(0, max([*ends, 1]) * 1.17)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def as_svg(figure: Figure, grid: Literal["x", "both"] = "x") -> str:
    """The figure as an `<svg>` element; the same figure gives the same text."""
    for axes in figure.axes:
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.tick_params(axis="x", colors="#777777", labelsize=8.5)
        axes.grid(axis=grid, color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.title.set_color(INK)
        axes.title.set_fontsize(10)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "m4sc", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
