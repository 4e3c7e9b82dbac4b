"""`m4sc report`: the HTML report of a run folder, written again; or two runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from launch.commands.common import print_json


def report(
    run_dir: Annotated[Path, typer.Argument(help="A run folder.")],
    other: Annotated[Path | None, typer.Argument(help="Another one, to compare it with.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Of a comparison. [dim]compare-A-B.html, here[/]"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the comparison, as JSON, on standard output.")
    ] = False,
) -> None:
    """Write report.html from a run folder's files. With two folders: what differs between the runs, their
    costs and ratios, and their accuracy in pairs where they asked the same; as a table and as one page.

    Example: [bold]m4sc report runs/20260101-120000-demo[/]

    [bold]m4sc report runs/sharing-on runs/sharing-off --out sharing.html[/]
    """
    from launch.errors import LaunchError
    from launch.report.page import write_report
    from launch.runfolder import read_config, read_summary

    if other is not None:
        _compare(run_dir, other, out, as_json)
        return
    if out is not None or as_json:
        raise LaunchError("--out and --json are for two run folders: a run's report is in its folder")
    read_config(run_dir)  # both raise one line when this is no run folder
    read_summary(run_dir)
    write_report(run_dir)
    typer.echo(str(run_dir / "report.html"))


def _compare(a: Path, b: Path, out: Path | None, as_json: bool) -> None:
    import sys

    from rich.console import Console

    from launch.errors import LaunchError
    from launch.report.compare import as_document, compare
    from launch.report.compare_view import compared, write_page

    found = compare(a, b)
    target = out or Path(f"compare-{a.resolve().name}-{b.resolve().name}.html")
    try:
        write_page(found, target)
    except OSError as error:
        raise LaunchError(f"{target}: cannot be written ({error.strerror})") from None
    if as_json:
        print_json(as_document(found))
        return
    Console(width=None if sys.stdout.isatty() else 140).print(compared(found))
    typer.echo(str(target))
