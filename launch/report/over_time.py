"""Plots over the time of a run, with what was wrong when: the fault windows as bars above, shaded below."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from launch.report.history import History
from launch.report.palette import INK
from launch.report.plots import as_svg, new_figure
from launch.resources.use import MB

MAX_FAULT_ROWS: Final = 14
"""Where there are more different names, faults of one kind share a row."""
MAX_VECTOR_POINTS: Final = 2_000
"""More are drawn as pixels, so that the page stays small."""
MAX_LINES: Final = 16
_LEAST_MS: Final = 1.0
_LEAST_SHARE: Final = 0.004  # of the time axis: a window shorter than this could not be seen
_SHADE: Final = "#d9d9d9"
# Colours of Okabe and Ito, and a shape for each.
STATES: Final = {
    "answered": ("o", "#0072B2"),
    "degraded": ("^", "#E69F00"),
    "failed": ("X", "#D55E00"),
    "expired": ("s", "#CC79A7"),
    "refused": ("P", "#333333"),
}
_LINES: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#333333", "#999999")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES: Final = ("-", "--", ":", "-.")

Fault = Mapping[str, Any]
"""A line of the summary's `faults`."""


def latency_over_time(history: History, faults: Sequence[Fault]) -> str:
    """Every request against the time of its end, states told apart by shape and colour."""
    ends_s = [ending.t_s for ending in history.endings]
    figure, axes = _with_faults(faults, 0.0, max(ends_s, default=1.0))
    for state, (marker, colour) in STATES.items():
        own = [ending for ending in history.endings if ending.state == state]
        if own:
            axes.plot(
                [ending.t_s for ending in own],
                [max(ending.latency_ms, _LEAST_MS) for ending in own],
                linestyle="none", marker=marker, color=colour, markersize=4 if state == "answered" else 6,
                alpha=0.75, markeredgewidth=0, label=f"{state} ({len(own):,})",
                rasterized=len(own) > MAX_VECTOR_POINTS,
            )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel("milliseconds", color=INK)
    axes.set_title("latency of each request against the time of its end", loc="left")
    return _finished(figure, axes)


def snr_over_time(history: History, faults: Sequence[Fault]) -> str:
    """What a frame of each request was received with, and the average of its user's channel then, dashed."""
    seen = history.seen
    heard = [(seen.since_zero(p.t_s), p.user, p.received_db) for p in seen.air if p.received_db is not None]
    average = [(seen.since_zero(p.t_s), p.user, p.snr_db) for p in seen.air if p.snr_db is not None]
    figure, axes = _with_faults(faults, 0.0, max((t for t, _, _ in heard), default=1.0))
    for number, user in enumerate(sorted({user for _, user, _ in heard})[:MAX_LINES]):
        colour, marker = _LINES[number % len(_LINES)], _MARKERS[number % len(_MARKERS)]
        own = [(t, db) for t, who, db in heard if who == user]
        axes.plot(
            [t for t, _ in own], [db for _, db in own],
            linestyle="none", marker=marker, color=colour, markersize=4.5, markeredgewidth=0, alpha=0.8,
            label=f"user {user}", rasterized=len(own) > MAX_VECTOR_POINTS,
        )  # fmt: skip
        line = [(t, db) for t, who, db in average if who == user]
        axes.plot([t for t, _ in line], [db for _, db in line], "--", color=colour, linewidth=0.9)
    axes.set_ylabel("dB", color=INK)
    axes.set_title("received SNR (Es/N0) of each request", loc="left")
    return _finished(figure, axes)


def pss_over_time(history: History, faults: Sequence[Fault]) -> str:
    """A line for each role; a process that was started again begins a new piece of it."""
    names = list(dict.fromkeys(sample.name for sample in history.samples))[:MAX_LINES]
    times_s = [sample.t_s - history.zero_s for sample in history.samples]
    figure, axes = _with_faults(faults, min(times_s), max(times_s))
    for number, name in enumerate(names):
        own = [sample for sample in history.samples if sample.name == name]
        colour, dash = _LINES[number % len(_LINES)], _DASHES[number // len(_LINES) % len(_DASHES)]
        for piece, (_, samples) in enumerate(groupby(own, key=lambda sample: sample.pid)):
            one = list(samples)
            axes.plot(
                [sample.t_s - history.zero_s for sample in one],
                [sample.pss_bytes / MB for sample in one],
                dash, color=colour, linewidth=1.4, label=name if piece == 0 else None,
                marker="." if len(one) < 3 else None, rasterized=len(one) > MAX_VECTOR_POINTS,
            )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MB", color=INK)
    axes.set_title("memory (PSS) of each process", loc="left")
    return _finished(figure, axes)


def fault_rows(faults: Sequence[Fault], end_s: float) -> dict[str, list[tuple[float, float]]]:
    """Name -> windows [begin, end] in seconds; one that did not end lasts to `end_s`."""
    named = [(_name(f), f) for f in faults if f["begin_s"] is not None]
    if len({name for name, _ in named}) > MAX_FAULT_ROWS:
        named = [(str(f["fault"]).partition(".")[0], f) for _, f in named]
    rows: dict[str, list[tuple[float, float]]] = {}
    for name, fault in named:
        begin, end = fault["begin_s"], fault["end_s"]
        rows.setdefault(name, []).append((begin, max(begin, end_s if end is None else end)))
    return rows


def _name(fault: Fault) -> str:
    """'loss', 'kill bs': without the number that tells it from others of its kind."""
    kind = str(fault["fault"]).partition(".")[0]
    return f"{kind} {fault['on']}" if fault["on"] else kind


def _with_faults(faults: Sequence[Fault], begin_s: float, end_s: float) -> tuple[Figure, Axes]:
    """A figure whose upper axes, if there are faults, have a row of bars a name; the lower ones are empty."""
    rows = fault_rows(faults, end_s)
    least_s = _LEAST_SHARE * max(end_s - begin_s, 1.0)
    strip = 0.17 * len(rows)
    figure = new_figure(9.4, 3.7 + strip)
    if not rows:
        return figure, figure.subplots()
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(strip, 3.0))
    for place, windows in enumerate(rows.values()):
        bars = [(begin, max(end - begin, least_s)) for begin, end in windows]
        upper.broken_barh(bars, (place - 0.36, 0.72), color="#8c6bb1")
        for begin, width in bars:
            lower.axvspan(begin, begin + width, color=_SHADE, alpha=0.5, linewidth=0, zorder=0)
    upper.set_yticks(range(len(rows)), list(rows), fontsize=8)
    upper.set_ylim(len(rows) - 0.5, -0.5)
    upper.tick_params(axis="x", bottom=False, labelbottom=False)
    upper.set_title("faults", loc="left")
    return figure, lower


def _finished(figure: Figure, axes: Axes) -> str:
    axes.set_xlabel("seconds after the first request", color=INK, fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        columns = min(8, len(labels))
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=8.5)
    return as_svg(figure, grid="both")
