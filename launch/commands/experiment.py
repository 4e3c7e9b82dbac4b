"""`m4sc experiment`: what the paper compares, measured here."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands import ldpc, paper_figures
from launch.commands.common import Overrides, print_json

app = typer.Typer(no_args_is_help=True)
app.command("fig5")(paper_figures.fig5)
app.command("fig6")(paper_figures.fig6)
app.command("ldpc")(ldpc.ldpc)


@app.callback()
def _group() -> None:
    """Comparisons, with a table and a plot.

    Example: [bold]m4sc experiment ablations --train runs/train --data data/clevr-style-train
    --imdb imdb/train.jsonl.gz --out runs/ablations[/]
    """


@app.command("ablations")
def ablations(
    train: Annotated[
        Path,
        typer.Option(
            "--train", metavar="DIR", help="The --out of m4sc train; of one not finished: no traces."
        ),
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data set it was trained on.")],
    imdb: Annotated[Path, typer.Option("--imdb", metavar="FILE", help="The reviews it was trained on.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Variants and results; goes on if stopped.")
    ],
    reviews: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Reviews to judge by. [dim]dev.jsonl.gz beside --imdb[/]"),
    ] = None,
    share: Annotated[float, typer.Option(min=0.0001, max=1.0, help="Of the run's steps, this share.")] = 0.25,
    questions: Annotated[int, typer.Option(min=1, help="A run; a quarter as many captions.")] = 600,
    only: Annotated[
        list[str] | None,
        typer.Option(help="projector, tasks, joint, split or traces; may be repeated. Without it: all."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Training processes, by Ray Train.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the results, as JSON, on standard output.")
    ] = False,
) -> None:
    """Train variants that differ in one thing each, measure them through the processes, write tables.

    Projector (KAN or MLP), tasks together or alone, with or without phase 3, split layer, reasoning traces.
    Ctrl-C leaves what is finished; the same command goes on from there.

    Example: [bold]m4sc experiment ablations --train runs/train --data data/clevr-style-train
    --imdb imdb/train.jsonl.gz --out runs/ablations --only projector --questions 300[/]
    """
    from launch.experiments.ablations import Ablations, order
    from launch.experiments.results import PAGE_FILE

    wanted = order(train, data, imdb, reviews, out, share, questions, only or (), workers)
    results = Ablations(wanted, _say).all()
    if as_json:
        print_json(results.model_dump(mode="json"))
    else:
        print(out / PAGE_FILE)


@app.command("erasures")
def erasures(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")],
    loss: Annotated[
        str, typer.Option(metavar="LIST", help="Shares of the frames that are lost, in %.")
    ] = "0,1,2,5,10,20,50",
    kinds: Annotated[str, typer.Option(metavar="LIST", help="bernoulli, burst or both.")] = "bernoulli,burst",
    burst: Annotated[float, typer.Option(min=1.0, help="Tokens that a burst loses on average.")] = 16.0,
    frame: Annotated[int, typer.Option(min=1, max=4_096, help="Tokens of a frame.")] = 1,
    requests: Annotated[int, typer.Option(min=1, help="Of each row.")] = 600,
    seed: Annotated[int | None, typer.Option(min=0, help="[dim]the configuration's[/]")] = None,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "measure",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")
    ] = False,
) -> None:
    """Accuracy against the share of erased tokens, with retransmission off; erasures.csv, .parquet and .png.

    Every answer from erased tokens must be marked as degraded. Ctrl-C leaves what is finished; the same
    command goes on from there, and one with more rows adds them.

    Example: [bold]m4sc experiment erasures --loss 0,5,20,50 --requests 300 --out runs/erasures[/]
    """
    from launch.measurement.grid import numbers

    percents = numbers("--loss", loss, 0.0, 90.0)
    from launch.bundles.rerun import DataSets
    from launch.experiments import erasures as experiment

    places = experiment.losses(kinds.split(","), percents, burst, frame)
    sets = [*(overrides or ()), f"workload.requests={requests}"]
    sets += [] if seed is None else [f"seed={seed}"]
    rows = experiment.measure(experiment.order(config, sets, places, DataSets(data), out), _say)
    from launch.experiments.erasures_view import draw, table_of

    draw(rows, out / experiment.PLOT_FILE)
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table_of(rows))
    for name in (experiment.TABLE_FILE, experiment.PLOT_FILE):
        console.print(str(out / name), soft_wrap=True, highlight=False)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
