"""`m4sc report`: the HTML report of a run folder, written again."""

from pathlib import Path
from typing import Annotated

import typer


def report(run_dir: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Write report.html from a run folder's files.

    Example: [bold]m4sc report runs/20260101-120000-demo[/]
    """
    from launch.report import write_report
    from launch.runfolder import read_config, read_summary

    read_config(run_dir)  # both raise one line when this is no run folder
    read_summary(run_dir)
    write_report(run_dir)
    typer.echo(str(run_dir / "report.html"))
