"""`m4sc experiment ldpc`: block error rates of the digital chain, and what its CRC lets pass."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import print_json


def ldpc(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="For the tables; made if it is not there.")
    ],
    schemes: Annotated[
        str, typer.Option(metavar="LIST", help="Rows of the table of modulations and rates, from 0 to 11.")
    ] = "0,3,6,9",
    blocks: Annotated[int, typer.Option(min=50, max=1_000_000, help="At each point.")] = 500,
    block_bytes: Annotated[int, typer.Option("--bytes", min=1, max=477, help="Of a block.")] = 64,
    crc_tries: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="Wrong blocks that the CRC has to see; 0: none.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="One scheme, 300 blocks a point, 500 tries.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")
    ] = False,
) -> None:
    """Blocks through frames, emulator and reader on each scheme's waterfall, beside Sionna's own chain.

    Then wrong blocks at low SNR until the CRC has seen so many. Exit code 1 where an error rate differs from
    Sionna's, or a wrong block passed.

    Example: [bold]m4sc experiment ldpc --blocks 500 --crc-tries 100000 --out runs/ldpc[/]
    """
    from launch.measurement.grid import whole_numbers

    numbers = whole_numbers("--schemes", schemes, 0, 11)
    from launch.experiments import ldpc as experiment

    choice = experiment.Choice(tuple(numbers), blocks, block_bytes, crc_tries, seed)
    if quick:
        choice = experiment.Choice((3,), 300, block_bytes, 500, seed)
    rates, tries = experiment.measure(choice, out, _say)
    if as_json:
        print_json([line.model_dump(mode="json") for line in (*rates, *tries)])
    else:
        from rich.console import Console

        from launch.experiments.ldpc_view import crc_table, rates_table

        console = Console(width=None if sys.stdout.isatty() else 120)
        console.print(rates_table(rates))
        if tries:
            console.print(crc_table(tries))
        for name in (experiment.RATES_FILE, *([experiment.CRC_FILE] if tries else [])):
            console.print(str(out / name), soft_wrap=True, highlight=False)
    if not experiment.all_agree(rates, tries):
        raise typer.Exit(1)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
