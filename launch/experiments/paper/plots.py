"""The figures' plots: one colour and one marker a scheme, told apart without colour too; 95% intervals."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from launch.experiments.paper import fig5, fig6
from launch.experiments.paper.published import DEEPSC_VQA, SNRS_DB
from launch.experiments.paper.sheets import SheetRow
from launch.measurement.points import OWN_SCHEME
from launch.report.plots import as_svg, new_figure

# Okabe and Ito's palette.
_STYLES: Final = {
    OWN_SCHEME: ("#0072B2", "o"),
    "deepsc_vqa": ("#D55E00", "s"),
    "deepsc": ("#D55E00", "s"),
    "webp_ldpc": ("#009E73", "^"),
    "caption_ldpc": ("#E69F00", "v"),
    "answer_only": ("#CC79A7", "D"),
}
_OTHER: Final = ("#000000", "X")
_DASHES: Final = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
"""Of the points of one scheme."""
_GREY: Final = "#777777"
_ASIDE_DB: Final = 0.12
_PANELS_OF_USES: Final = 3
_SNR: Final = "average received Es/N0, dB"
Value = Callable[[SheetRow], float]


def accuracy_figure(rows: Sequence[SheetRow]) -> Figure:
    """Accuracy against SNR: a panel for each sheet of questions and reviews, those on AWGN on the left."""
    titles = {
        fig5.VQA: "Questions about pictures, AWGN",
        fig5.FADING: "Questions about pictures, Rayleigh block fading",
        fig5.REVIEWS: "Reviews (IMDB), AWGN",
        fig5.REVIEWS_FADING: "Reviews (IMDB), Rayleigh block fading",
    }
    shown = [name for name in titles if any(row.sheet == name for row in rows)]
    lines = -(-len(shown) // 2)
    figure = new_figure(11.0, 0.4 + 4.6 * lines)
    axes = list(figure.subplots(lines, 2, squeeze=False).flat)
    for axis, name in zip(axes, shown, strict=False):
        here = [row for row in rows if row.sheet == name]
        _curves(axis, here, lambda row: row.snr_db, _percent)
        if name == fig5.VQA:
            _draw_published(axis)
        axis.set_title(f"{titles[name]} (n = {here[0].n} each)", loc="left")
        axis.set_xlabel(_SNR)
        axis.set_ylabel("accuracy, %")
        axis.set_ylim(0, 102)
        axis.set_xticks(sorted({row.snr_db for row in here} | (set(SNRS_DB) if name == fig5.VQA else set())))
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    _legend(figure, 4)
    return figure


def uses_figure(rows: Sequence[SheetRow]) -> Figure:
    """Accuracy against channel uses a request, questions on AWGN: a panel for each of a few SNRs."""
    here = [row for row in rows if row.sheet == fig5.VQA and row.is_served]
    snrs = sorted({row.snr_db for row in here})
    step = max(1, -(-len(snrs) // _PANELS_OF_USES))
    chosen = snrs[::-1][::step][:_PANELS_OF_USES][::-1]
    figure = new_figure(11.0, 4.6)
    for axis, snr_db in zip(
        figure.subplots(1, len(chosen), squeeze=False, sharex=True, sharey=True).flat, chosen, strict=True
    ):
        at = [row for row in here if row.snr_db == snr_db]
        for scheme in dict.fromkeys(row.scheme for row in at):
            line = sorted((r for r in at if r.scheme == scheme), key=lambda row: row.uses_per_request)
            _line(axis, line, lambda row: row.uses_per_request, _percent, "-", scheme)
        _log(axis.xaxis, axis.set_xscale)
        axis.set_title(f"{snr_db:g} dB", loc="left")
        axis.set_xlabel("channel uses of the downlink a request")
        axis.set_ylim(0, 102)
    figure.axes[0].set_ylabel("accuracy, %")
    _legend(figure, 6)
    return figure


def data_figure(rows: Sequence[SheetRow]) -> Figure:
    """What one question of every user costs, against users: channel uses above, bytes below."""
    overlaps = sorted({row.overlap for row in rows if row.users > 1}) or [0.0]
    figure = new_figure(3.4 + 3.3 * len(overlaps), 8.2)
    grid = figure.subplots(2, len(overlaps), squeeze=False, sharey="row")
    measures = (
        (fig6.round_uses, "channel uses of the downlink,\none question of every user"),
        (fig6.round_bytes, "bytes on the wire, both ways,\none question of every user"),
    )
    for axes, (value, said) in zip(grid, measures, strict=True):
        for axis, overlap in zip(axes, overlaps, strict=True):
            alone = [row for row in rows if row.users == 1]
            here = [row for row in rows if row.overlap == overlap and row.users > 1] or alone
            for sharing, dash in ((True, "-"), (False, ":")):
                kept = [row for row in here if row.sharing == sharing]
                for curve in dict.fromkeys(row.curve for row in kept):
                    line = [row for row in (*alone, *kept) if row.curve == curve]
                    line.sort(key=lambda row: row.users)
                    name = curve + ("" if sharing else ", each its own")
                    _line(axis, line, lambda row: row.users, value, dash, name)
            axis.set_title(f"overlap {overlap:g}", loc="left")
            axis.set_xlabel("users")
            _log(axis.yaxis, axis.set_yscale)
            axis.set_xticks(sorted({row.users for row in rows}))
        axes[0].set_ylabel(said)
    _legend(figure, 3)
    return figure


def save(figure: Figure, path: Path) -> str:
    """As PNG at `path` and as SVG beside it, each whole or as it was; the SVG's text."""
    text = as_svg(figure, "both")
    partial = path.with_name(f"tmp-{path.name}")
    figure.savefig(partial, dpi=110, facecolor="white")
    os.replace(partial, path)
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path.with_suffix(".svg"))
    return text


def _legend(figure: Figure, columns: int) -> None:
    """One for all panels, below them."""
    handles = {
        name: handle
        for axis in figure.axes
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8.5,
    )


def _log(axis: Axis, set_scale: Callable[[str], object]) -> None:
    """Logarithmic, with plain numbers at 1, 2 and 5."""
    set_scale("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.set_minor_formatter(NullFormatter())


def _percent(row: SheetRow) -> float:
    return 100 * row.accuracy


def _curves(axis: Axes, rows: Sequence[SheetRow], x: Value, y: Value) -> None:
    """A curve for each operating point, moved aside a little so that intervals do not hide each other."""
    seen: dict[str, int] = {}
    curves = list(dict.fromkeys(row.curve for row in rows))
    for number, curve in enumerate(curves):
        line = sorted((row for row in rows if row.curve == curve), key=x)
        aside = _ASIDE_DB * (number - (len(curves) - 1) / 2)
        scheme = line[0].scheme
        dash = _DASHES[seen.setdefault(scheme, 0) % len(_DASHES)]
        seen[scheme] += 1
        _line(axis, line, x, y, dash, curve, aside)


def _line(
    axis: Axes,
    rows: Sequence[SheetRow],
    x: Value,
    y: Value,
    dash: Any,
    name: str,
    aside: float = 0.0,
) -> None:
    """Of one scheme; with intervals where `y` is an accuracy."""
    colour, marker = _STYLES.get(rows[0].scheme, _OTHER)
    spread = None
    if y is _percent:
        spread = [
            [100 * (row.accuracy - row.accuracy_low) for row in rows],
            [100 * (row.accuracy_high - row.accuracy) for row in rows],
        ]
    axis.errorbar(
        [x(row) + aside for row in rows],
        [y(row) for row in rows],
        yerr=spread,
        linestyle=dash,
        color=colour,
        marker=marker,
        markersize=5.5,
        markerfacecolor=colour if dash == "-" else "white",
        linewidth=1.6,
        elinewidth=0.9,
        capsize=2.5,
        label=name,
    )


def _draw_published(axis: Axes) -> None:
    for number, line in enumerate(DEEPSC_VQA):
        name = "DeepSC-VQA as published: other data (symbols an image)" if number == 0 else None
        axis.plot(
            SNRS_DB,
            line.accuracy_percent,
            ":",
            color=_GREY,
            marker="*",
            markersize=6,
            linewidth=0.8,
            label=name,
        )
        axis.annotate(
            f"{line.symbols_per_image:,}", (-5, line.accuracy_percent[SNRS_DB.index(-5)]), (-27, 1),
            textcoords="offset points", color=_GREY, fontsize=7,
        )  # fmt: skip
