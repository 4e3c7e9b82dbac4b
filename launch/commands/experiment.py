"""`m4sc experiment`: what the paper compares, measured here."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import print_json

app = typer.Typer(no_args_is_help=True)


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


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
