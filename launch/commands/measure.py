"""`m4sc measure`: channel uses and bytes of every user, over users, overlap, SNR and operating points."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import Deepsc, DeepscVqa, Overrides, own_weights, print_json


def measure(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Rows and tables; goes on if stopped.")],
    users: Annotated[str, typer.Option(metavar="LIST", help="Numbers of users.")] = "1,2,4,8",
    overlap: Annotated[
        str, typer.Option(metavar="LIST", help="Shares of the users that ask about one common image.")
    ] = "0,1",
    snr: Annotated[str, typer.Option(metavar="LIST", help="Average received Es/N0 in dB.")] = "15",
    points: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Operating points: all image tokens or so many of the most salient; x4: the first 4 eighths "
            "of a token's channel uses; t4: those of a word's. Of others: webp_ldpc:q50 or :u504, "
            "deepsc_vqa:x2, answer_only.",
        ),
    ] = "all",
    sharing: Annotated[
        str, typer.Option(metavar="LIST", help="on, off or on,off: rows of both are compared.")
    ] = "on",
    requests: Annotated[
        int | None, typer.Option(min=1, help="Of each row. [dim]the configuration's[/]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="[dim]the configuration's[/]")] = None,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "measure",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    imdb: Annotated[Path | None, typer.Option("--imdb", metavar="PATH", help="Reviews.")] = None,
    deepsc: Deepsc = None,
    deepsc_vqa: DeepscVqa = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")
    ] = False,
) -> None:
    """Run every combination through the processes; write measure.csv, users.csv (and .parquet), measure.png.

    Each row is a run of its own, with its command in the table. Ctrl-C leaves what is finished; the same
    command goes on from there, and one with more rows adds them.

    Example: [bold]m4sc measure --users 1,2,4,8 --overlap 0,1 --snr 0,15 --points all,36,18 --sharing on,off
    --out runs/measure[/]
    """
    from launch.measurement.grid import grid, numbers, switches, whole_numbers
    from launch.measurement.points import Point

    places = grid(
        whole_numbers("--users", users, 1, 65_536),
        numbers("--overlap", overlap, 0.0, 1.0),
        numbers("--snr", snr, -50.0, 100.0),
        [Point.parse(text) for text in points.split(",")],
        switches("--sharing", sharing),
    )
    from launch.bundles.rerun import DataSets
    from launch.measurement import sweep

    sets = [*(overrides or ())]
    sets += [] if requests is None else [f"workload.requests={requests}"]
    sets += [] if seed is None else [f"seed={seed}"]
    weights = own_weights(deepsc, deepsc_vqa)
    wanted = sweep.order(config, sets, places, DataSets(data, imdb), out, weights)
    rows = sweep.measure(wanted, lambda line: print(f"… {line}", file=sys.stderr, flush=True))
    from rich.console import Console

    from launch.measurement.plots import draw
    from launch.measurement.view import table_of

    drawn = draw(rows, out / sweep.PLOTS_FILE)
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table_of(rows))
    for name in (sweep.TABLE_FILE, sweep.USERS_FILE, *([sweep.PLOTS_FILE] if drawn else [])):
        console.print(str(out / name), soft_wrap=True, highlight=False)
