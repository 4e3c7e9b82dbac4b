"""`m4sc train`: all training phases of a preset, from nothing or from where they were stopped."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints, log, curves.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="micro: a rendered CLEVR-style data set.")
    ] = None,
    imdb: Annotated[
        Path | None, typer.Option("--imdb", metavar="PATH", help="Reviews: JSON lines, or aclImdb.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A bundle to go on from; paper needs one.")
    ] = None,
    conversations: Annotated[
        Path | None,
        typer.Option("--conversations", metavar="FILE", help="paper: conversations in LLaVA's format."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="paper: the images that they name.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Where the weights go.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Sizes and recipe: [bold]micro[/] or [bold]paper[/].")
    ] = "micro",
    scheme: Annotated[
        str, typer.Option(help="[bold]m4sc[/], or a baseline: [bold]deepsc[/], [bold]deepsc_vqa[/].")
    ] = "m4sc",
    split_layer: Annotated[
        int | None,
        typer.Option("--split-layer", help="With --from: phase 3 alone, the language model cut here."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes, by Ray Train.")] = 1,
    scale: Annotated[float, typer.Option(min=0.0001, help="Of the recipe's steps, this share.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle, also by a worse one.")] = False,
) -> None:
    """Train a bundle, all phases; what is already done in --out is kept.

    [bold]micro[/] is trained from nothing, or on from a bundle (--from), on --data and --imdb; [bold]paper[/]
    from published weights (--from), on --conversations, --images and, if given, --imdb.

    With [bold]--split-layer[/] the vision tower and what phases 1 and 2 trained are the bundle's, and phase 3
    fits projector, channel codec and language model to another cut.

    [bold]--scheme deepsc[/] is trained on --imdb, [bold]deepsc_vqa[/] on --data; both from nothing, and
    a bundle that is there is replaced with --force only.

    A bundle that is there is replaced by one that is not worse; a worse one is kept as DIR.rejected (exit
    code 1).

    Ctrl-C stops within 5 s, after the step that it is at and with a checkpoint; --resume goes on.

    Example: [bold]m4sc train --data data/mine --imdb imdb.jsonl --out runs/train --bundle bundles/mine[/]
    """
    from launch.training.stop import train_apart

    sources = {
        "--data": data,
        "--imdb": imdb,
        "--from": start,
        "--conversations": conversations,
        "--images": images,
    }
    options = {
        "preset": preset,
        "scheme": scheme,
        "sources": {option: None if path is None else str(path) for option, path in sources.items()},
        "out": str(out),
        "bundle": None if bundle is None else str(bundle),
        "split_layer": split_layer,
        "workers": workers,
        "scale": scale,
        "seed": seed,
        "resume": resume,
        "force": force,
    }
    raise typer.Exit(train_apart("launch.training.order:carry_out", options, out, "--resume goes on"))
