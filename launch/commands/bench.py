"""`m4sc bench`: speed as a ratio against a named reference of the same run."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import print_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Speed of parts, against a reference that is run beside them.

    Example: [bold]m4sc bench comparator --users 64,256,1024[/]
    """


@app.command("comparator")
def comparator(
    users: Annotated[str, typer.Option(metavar="LIST", help="Numbers of users.")] = "64,256,1024,4096",
    tokens: Annotated[int, typer.Option(min=1, max=4_096, help="Of each user.")] = 64,
    width: Annotated[int, typer.Option(min=2, max=16_384, help="Of a token.")] = 256,
    reference_users: Annotated[
        int, typer.Option(min=0, help="Up to so many users all pairs are compared too.")
    ] = 1_024,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Seconds against tokens, as PNG.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the lines, as JSON.")] = False,
) -> None:
    """Find similar tokens of many users: time, memory, and what is found, beside comparing all pairs.

    Example: [bold]m4sc bench comparator --users 64,256,1024,4096 --plot comparator.png[/]
    """
    from rich.console import Console
    from rich.table import Table

    from launch.bench.comparator import bench, draw
    from launch.measurement.grid import whole_numbers

    counts = whole_numbers("--users", users, 1, 65_536)
    lines = bench(counts, tokens, width, reference_users, seed, _say)
    if plot is not None:
        draw(lines, plot)
    if as_json:
        print_json([{**asdict(n), "speed_up": n.speed_up, "found": n.found} for n in lines])
        return
    table = Table(
        title=f"{tokens} tokens of {width} a user, thresholds as configured by default", title_justify="left"
    )
    for name in (
        "users",
        "tokens",
        "seconds",
        "memory, MiB",
        "merged",
        "all pairs, s",
        "times faster",
        "merges found",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for n in lines:
        table.add_row(
            f"{n.users:,}",
            f"{n.tokens:,}",
            f"{n.seconds:.3f}",
            f"{n.peak_mib:,.0f}",
            f"{n.merged:,}",
            "" if n.all_pairs_s is None else f"{n.all_pairs_s:.2f}",
            "" if n.speed_up is None else f"{n.speed_up:.1f}",
            "" if n.found is None else f"{100 * n.found:.2f}%",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
