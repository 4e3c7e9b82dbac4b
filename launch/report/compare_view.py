"""Two runs side by side, on a terminal and as one page that needs no network."""

import os
from html import escape
from pathlib import Path
from typing import Final

from matplotlib.ticker import MaxNLocator
from rich.console import Group, RenderableType
from rich.table import Table

from launch.live_table import human_bytes, human_count
from launch.report.compare import BYTES, USES, Comparison, Line, accuracies, paired_words
from launch.report.markup import STYLE, contents, section, table
from launch.report.palette import CLASS_COLOURS, INK
from launch.report.plots import MAX_USERS, as_svg, new_figure

_CLASSES: Final = ("public", "private", "side", "pilots", "control", "feedback")


def compared(comparison: Comparison) -> RenderableType:
    """Tables for a terminal."""
    a, b = comparison.a, comparison.b
    costs = Table(title=f"{a.name} and {b.name}", title_justify="left", box=None, header_style="bold")
    costs.add_column("")
    for name in (a.name, b.name, "ratio"):
        costs.add_column(name, justify="right")
    costs.add_row("verdict", a.summary["verdict"], b.summary["verdict"], "")
    for line in comparison.costs:
        costs.add_row(*_cells(line))
    right = Table(box=None, header_style="bold", title="accuracy (95%)", title_justify="left")
    for name in ("", a.name, b.name):
        right.add_column(name)
    for cells in accuracies(comparison):
        right.add_row(*cells)
    settings = Table(box=None, header_style="bold", title="settings that differ", title_justify="left")
    for name in ("key", a.name, b.name):
        settings.add_column(name, overflow="fold")
    for cells in comparison.differing:
        settings.add_row(*cells)
    return Group(costs, right, paired_words(comparison.paired), settings)


def write_page(comparison: Comparison, target: Path) -> None:
    """Whole, or as it was. Raises OSError."""
    partial = target.with_name(f"{target.name}.tmp")
    partial.write_text(_page(comparison), encoding="utf-8")
    os.replace(partial, target)


def _page(comparison: Comparison) -> str:
    a, b = comparison.a, comparison.b
    heads = ["", a.name, b.name]
    verdicts = [["verdict", a.summary["verdict"], b.summary["verdict"]]]
    for key in ("name", "scheme", "bundle", "fingerprint", "seed"):
        verdicts.append([key, str(a.summary[key])[:40], str(b.summary[key])[:40]])
    differing = [list(cells) for cells in comparison.differing]
    pairs = f"<p>{escape(paired_words(comparison.paired))}.</p>"
    right = [list(cells) for cells in accuracies(comparison)]
    costs = [_cells(line) for line in comparison.costs]
    body = "".join(
        (
            section("The two runs", table(heads, verdicts, text_columns=3)),
            section("Settings that differ", table(["key", a.name, b.name], differing, text_columns=3)),
            section("Answers", table(heads, right, text_columns=3) + pairs),
            section("Costs", _figure(comparison) + table([*heads, "ratio"], costs)),
        )
    )
    title = f"{a.name} and {b.name}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>M4SC: {escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<header><h1>{escape(title)}</h1><p>Ratios are the second over the first.</p></header>"
        f"{contents(body)}{body}</main></body></html>\n"
    )


def _cells(line: Line) -> list[str]:
    return [line.name, _number(line.a, line.unit), _number(line.b, line.unit), _ratio(line.ratio)]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return f"{text} {unit}".strip()


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3f}"


def _figure(comparison: Comparison) -> str:
    """Bytes and channel uses of both by class, and of each user."""
    figure = new_figure(9.4, 4.6)
    (bytes_, uses), (own_bytes, own_uses) = figure.subplots(2, 2)
    sides = (comparison.a, comparison.b)
    for axes, columns, title in ((bytes_, BYTES, "wire bytes"), (uses, USES, "channel uses")):
        left = [0.0, 0.0]
        for klass, column in zip(_CLASSES, columns, strict=False):
            widths = [float(side.summary["totals"].get(column, 0)) for side in sides]
            if any(widths):
                axes.barh([0, 1], widths, left=left, height=0.6, color=CLASS_COLOURS[klass], label=klass)
            left = [begin + width for begin, width in zip(left, widths, strict=True)]
        axes.set_yticks([0, 1], [side.name for side in sides])
        axes.invert_yaxis()
        axes.set_title(f"{title}, by class", loc="left")
    of_users = ((own_bytes, "wire_bytes", "wire bytes"), (own_uses, "channel_uses", "channel uses"))
    for axes, column, title in of_users:
        for side, marker, colour in zip(sides, "os", ("#0072B2", "#D55E00"), strict=True):
            users = side.summary["users"][:MAX_USERS]
            axes.plot(
                [user["user"] for user in users], [user[column] for user in users],
                linestyle="none", marker=marker, color=colour, markersize=6, label=side.name,
            )  # fmt: skip
        most = max(user[column] for side in sides for user in side.summary["users"][:MAX_USERS])
        axes.set_ylim(0, 1.15 * max(most, 1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("user", color=INK)
        axes.set_title(f"{title} of each user", loc="left")
    own_uses.legend(frameon=False, fontsize=8.5)
    handles, labels = bytes_.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    for axis, said in (
        (bytes_.xaxis, human_bytes),
        (own_bytes.yaxis, human_bytes),
        (uses.xaxis, human_count),
        (own_uses.yaxis, human_count),
    ):
        axis.set_major_formatter(lambda value, _, said=said: said(round(value)))
    return f"<figure>{as_svg(figure, grid='both')}</figure>"
