"""`m4sc train`: the training phases that exist so far, for the `micro` preset."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A rendered CLEVR-style data set.")],
    imdb: Annotated[Path, typer.Option("--imdb", metavar="FILE", help="Reviews, .jsonl or .jsonl.gz.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints, log and tokenizer.")],
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Where the weights go.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Time to spend.")] = 55.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train the micro model, all phases; what is already done in --out is kept.

    Example: [bold]m4sc train --data data/mine --imdb imdb.jsonl --out runs/train --bundle bundles/mine[/]
    """
    from launch.errors import LaunchError
    from launch.training import micro

    for option, path in (("--data", data), ("--imdb", imdb)):
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")
    if not resume and (out / "language.pt").exists():
        raise LaunchError(f"--out {out}: holds a run; give --resume or another folder")
    micro.train(data, imdb, out, minutes, bundle, seed)
