"""`m4sc doctor`: what is wrong with this machine."""

from typing import Annotated

import typer

from launch.commands.common import Json, print_json


def doctor(
    ray: Annotated[
        bool, typer.Option("--ray", help="Also start and stop a private Ray (about 10 s).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check Python, packages, memory, sockets, disk and the shipped weights.

    Exit code 2 if something is wrong.

    Example: [bold]m4sc doctor --ray[/]
    """
    from launch.doctor import examine

    findings = examine(with_ray=ray)
    if as_json:
        print_json([{"check": f.check, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings])
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table("", "check", "found", "advice", box=None)
        for f in findings:
            table.add_row("[green]ok[/]" if f.ok else "[red]no[/]", f.check, f.found, f.advice)
        Console().print(table)
    raise typer.Exit(0 if all(f.ok for f in findings) else 2)
