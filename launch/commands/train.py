"""`m4sc train`: all training phases of a preset, from nothing or from where they were stopped."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A rendered CLEVR-style data set.")],
    imdb: Annotated[Path, typer.Option("--imdb", metavar="PATH", help="Reviews: JSON lines, or aclImdb.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints, log, curves, tokenizer.")],
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Where the weights go.")
    ] = None,
    preset: Annotated[str, typer.Option(help="Sizes and recipe.")] = "micro",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes, by Ray Train.")] = 1,
    scale: Annotated[float, typer.Option(min=0.0001, help="Of the recipe's steps, this share.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle, also a better one.")] = False,
) -> None:
    """Train a bundle, all phases; what is already done in --out is kept.

    Example: [bold]m4sc train --data data/mine --imdb imdb.jsonl --out runs/train --bundle bundles/mine[/]
    """
    from launch.training.order import order, run_order

    run_order(
        order(
            preset=preset,
            data=data,
            imdb=imdb,
            out=out,
            bundle=bundle,
            workers=workers,
            scale=scale,
            seed=seed,
            resume=resume,
            force=force,
        )
    )
