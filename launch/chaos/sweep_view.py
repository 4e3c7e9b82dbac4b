"""A sweep as a table on a terminal, and as CSV and Parquet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from launch.chaos.sweep import COUNTS, SweepLine
from launch.measurement.rows import write_table
from launch.summary_table import VERDICT_STYLES

TABLE_FILE: Final = "sweep.csv"


def write_lines(out: Path, lines: Sequence[SweepLine]) -> Path:
    """`sweep.csv` and, beside it, `sweep.parquet`."""
    write_table(out / TABLE_FILE, [line.as_row() for line in lines])
    return out / TABLE_FILE


def sweep_view(lines: Sequence[SweepLine]) -> RenderableType:
    """A row a seed; under it how many were valid, and the slowest recovery of all."""
    shown = [name for name in COUNTS if name == "attempted" or any(line.counts[name] for line in lines)]
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("seed", "verdict", "faults", *shown, "whole answer after s", "the slowest"):
        table.add_column(
            name, justify="left" if name in ("verdict", "the slowest") else "right", no_wrap=True
        )
    for line in lines:
        table.add_row(
            str(line.seed),
            Text(line.verdict, VERDICT_STYLES.get(line.verdict, "bold")),
            str(line.faults),
            *(str(line.counts[name]) for name in shown),
            "–" if line.slowest_s is None else f"{line.slowest_s:.2f}",
            line.slowest,
        )
    said: list[RenderableType] = [table, Text("")]
    valid = sum(line.verdict == "valid" for line in lines)
    said.append(Text(f"{valid} of {len(lines)} valid"))
    timed = [line for line in lines if line.slowest_s is not None]
    if timed:
        worst = max(timed, key=lambda line: line.slowest_s or 0.0)
        said.append(
            Text(f"slowest recovery: {worst.slowest_s:.2f} s after {worst.slowest}, seed {worst.seed}")
        )
    said += [Text(f"seed {line.seed}: {line.finding}") for line in lines if line.verdict != "valid"]
    return Group(*said)
