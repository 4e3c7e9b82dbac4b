"""`m4sc data`: data sets."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True)
AGAIN = "the same command goes on"


@app.callback()
def _group() -> None:
    """Make data sets.

    Example: [bold]m4sc data clevr-style data/mine --split train --count 500[/]
    """


@app.command("clevr-style")
def clevr_style(
    root: Annotated[Path, typer.Argument(help="Folder to build in; a stopped build goes on.")],
    split: Annotated[
        str, typer.Option(help="Name of the split: scenes of different splits differ.")
    ] = "train",
    count: Annotated[int, typer.Option(min=1, help="How many scenes.")] = 100,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    samples: Annotated[int, typer.Option(min=1, help="Light samples per pixel.")] = 4,
    workers: Annotated[int, typer.Option(min=1, help="Rendering processes.")] = 2,
    families: Annotated[
        list[str] | None,
        typer.Option("--family", help="Of questions; may be repeated. Without it: all nine."),
    ] = None,
) -> None:
    """Render CLEVR-style scenes and write questions with answers about them.

    Ctrl-C stops within 5 s; the same command goes on where it was stopped.

    Example: [bold]m4sc data clevr-style data/mine --split train --count 500[/]
    """
    from launch.child import run_child

    options = {
        "root": str(root),
        "split": split,
        "count": count,
        "seed": seed,
        "samples": samples,
        "workers": workers,
        "families": families,
    }
    raise typer.Exit(run_child("launch.commands.data:build_clevr_style", options, AGAIN))


def build_clevr_style(root: str, families: list[str] | None, **options: Any) -> None:
    """Build and say where. Raises `DatasetError` or `LaunchError`."""
    from launch.datasets.clevr_style.build import build
    from launch.datasets.clevr_style.offers import ALL, check_families

    build(Path(root), families=check_families(families or [ALL]), **options)
    typer.echo(root)
