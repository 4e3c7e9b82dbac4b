"""The lines of a bench as a table on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from launch.bench.line import Line, Spread
from launch.bench.report import change

_MARK = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def table_of(lines: Sequence[Line], old: Mapping[str, Mapping[str, Any]] | None = None) -> Table:
    """Medians and, of repeated ratios, quartiles; with `old`, how each ratio changed."""
    table = Table(
        title="Each figure beside its reference; how many times better it is (quartiles)",
        title_justify="left",
    )
    table.add_column("figure", max_width=52)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("reference", max_width=28)
    table.add_column("its value", justify="right", no_wrap=True)
    table.add_column("times better", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    if old is not None:
        table.add_column("times the old", justify="right", no_wrap=True)
    for line in lines:
        cells = [
            line.figure + (f" [dim]({line.note})[/]" if line.note else ""),
            f"{number(line.value.median)} {line.unit}".rstrip(),
            line.reference,
            "" if line.reference_value is None else number(line.reference_value.median),
            "" if line.ratio is None else _ratio(line.ratio),
            "" if line.target is None else str(line.target),
            _MARK[line.met],
        ]
        if old is not None:
            changed = change(line, old.get(line.name))
            cells.append("" if changed is None else f"{changed:.2f}")
        table.add_row(*cells)
    return table


def number(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _ratio(ratio: Spread) -> str:
    if ratio.low == ratio.high:
        return number(ratio.median)
    return f"{number(ratio.median)} ({number(ratio.low)} to {number(ratio.high)})"
