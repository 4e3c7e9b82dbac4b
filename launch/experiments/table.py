"""Tables of figures as they are kept in `ablations.json`, and the same as CSV rows and Markdown."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from launch.experiments.paired import Difference
from launch.figures import Figure

Kind = Literal["share", "points", "number"]
COLUMNS = ("table", "row", "column", "kind", "value", "low", "high", "n", "command")


class Cell(BaseModel):
    """One figure. `low` and `high` bound its 95% interval; `command` gives it again.

    A share lies in [0, 1]; points are a difference of shares in per cent; a number has its column's unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    command: str = ""


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    cells: dict[str, Cell]
    """By column; a column that says nothing about a row is left out."""


class Table(BaseModel):
    """`notes` are sentences that belong under it; `conclusion` is what follows from its figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    conclusion: str = ""

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.cells))


def share_cell(figure: Figure, command: str) -> Cell:
    return Cell(
        kind="share", value=figure.value, low=figure.low, high=figure.high, n=figure.n, command=command
    )


def points_cell(difference: Difference, *commands: str) -> Cell:
    """A paired difference; it takes both runs."""
    return Cell(
        kind="points",
        value=difference.points,
        low=difference.low,
        high=difference.high,
        n=difference.n,
        command="; ".join(commands),
    )


def number_cell(value: float, command: str = "", n: int | None = None) -> Cell:
    return Cell(kind="number", value=value, n=n, command=command)


def csv_rows(name: str, table: Table) -> Iterator[list[str]]:
    """One row a figure, in the order of COLUMNS."""
    for row in table.rows:
        for column, cell in row.cells.items():
            facts = (cell.kind, cell.value, cell.low, cell.high, cell.n, cell.command)
            yield [name, row.label, column, *("" if fact is None else str(fact) for fact in facts)]


def markdown(table: Table) -> str:
    columns = table.columns
    lines = [
        f"## {table.title}",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
        *(
            f"| {row.label} | " + " | ".join(_shown(row.cells.get(c)) for c in columns) + " |"
            for row in table.rows
        ),
    ]
    lines += ["", *table.notes] if table.notes else []
    lines += ["", table.conclusion] if table.conclusion else []
    return "\n".join(lines)


def _shown(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    if cell.kind == "number":
        return _number(cell.value)
    shown = (lambda v: f"{100 * v:.1f}") if cell.kind == "share" else (lambda v: f"{v:+.1f}")
    interval = "" if cell.low is None or cell.high is None else f" ({shown(cell.low)} to {shown(cell.high)})"
    return f"{shown(cell.value)}{'%' if cell.kind == 'share' else ''}{interval}"


def _number(value: float) -> str:
    """Whole from 100 on, else three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
