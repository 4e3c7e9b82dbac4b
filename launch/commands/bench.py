"""`m4sc bench`: speed as a ratio against a named reference of the same run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import print_json

_COMPARATOR = "comparator"
NOT_ALL_KNOWN = 3
"""Exit code where a bench could not be run."""


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]...",
            help="launching, request, overhead, memory, emulator, gnuradio, page, sockets, decode, encode, "
            "comparator, maps, wire. [dim]all[/]",
        ),
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Lines and machine, as JSON; - prints them.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Ratios to the references, as PNG.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="OLD.json", help="Beside an earlier --json.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1_000, help="Repeats, in turn with the references.")] = 9,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    users: Annotated[
        str, typer.Option(metavar="LIST", help="Numbers of users.", rich_help_panel=_COMPARATOR)
    ] = "64,256,1024",
    tokens: Annotated[
        int, typer.Option(min=1, max=4_096, help="Of each user.", rich_help_panel=_COMPARATOR)
    ] = 64,
    width: Annotated[
        int, typer.Option(min=2, max=16_384, help="Of a token.", rich_help_panel=_COMPARATOR)
    ] = 256,
    reference_users: Annotated[
        int,
        typer.Option(
            min=0, help="Up to so many users all pairs are compared too.", rich_help_panel=_COMPARATOR
        ),
    ] = 1_024,
) -> None:
    """Measure parts and the whole, each figure beside a reference that is run in turn with it.

    Example: [bold]m4sc bench decode encode --json new.json --plot new.png --compare old.json[/]
    """
    from launch.bench.suite import chosen
    from launch.measurement.grid import whole_numbers

    wanted = chosen(names or [])
    counts = whole_numbers("--users", users, 1, 65_536)

    from tempfile import TemporaryDirectory

    from launch.bench.order import ComparatorSizes, Order
    from launch.bench.report import as_document, read_old, write_document
    from launch.bench.suite import run_all
    from launch.bench.testbed import Runs
    from launch.one_run import run_to_end
    from launch.standby import each_on_its_own

    old = None if compare is None else read_old(compare)
    sizes = ComparatorSizes(tuple(counts), tokens, width, reference_users)
    with each_on_its_own(), TemporaryDirectory(prefix="m4sc-bench-") as folder:
        order = Order(Runs(Path(folder), run_to_end, seed), seed, rounds, _say, sizes)
        lines, failed = run_all(wanted, order)
    document = as_document(lines, seed, rounds)
    if as_json is not None and str(as_json) != "-":
        write_document(document, as_json)
    if plot is not None:
        from launch.bench.plot import draw

        draw(lines, plot)
    if str(as_json) == "-":
        print_json(document)
    else:
        from rich.console import Console

        from launch.bench.view import table_of

        Console(width=None if sys.stdout.isatty() else 160).print(table_of(lines, old))
    if failed:
        raise typer.Exit(NOT_ALL_KNOWN)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
