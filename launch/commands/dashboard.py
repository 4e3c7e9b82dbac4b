"""`m4sc dashboard`: the page of a run, live or again."""

from pathlib import Path
from typing import Annotated

import typer


def dashboard(
    run_dir: Annotated[
        Path | None, typer.Argument(help="A run folder. [dim]of the testbed that is up[/]")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="HOST:PORT",
            help="Where; a token is needed unless HOST is loopback. [dim]127.0.0.1 and any free port[/]",
        ),
    ] = None,
) -> None:
    """Serve the page of a run until Ctrl-C: of one that goes on, or, with replay, of one that has ended.

    Example: [bold]m4sc dashboard runs/20260101-120000-demo[/]
    """  # fmt: skip
    from launch.dashboard.address import Address, parse_address
    from launch.dashboard.serve import ServeOrders, serve

    address = Address() if at is None else parse_address(at, "--at")
    folder, control = _what_to_show(run_dir)
    serve(
        ServeOrders(str(folder), control, address.host, address.port),
        lambda url: typer.echo(f"dashboard  {url}  (Ctrl-C ends it)"),
    )


def _what_to_show(run_dir: Path | None) -> tuple[Path, str]:
    """The folder, and the control door's socket where it is that of the testbed that is up."""
    from launch.errors import LaunchError
    from launch.local_control import read_state, state_dir
    from launch.runfolder import read_config

    if run_dir is not None:
        read_config(run_dir)  # raises one line when this is no run folder
    try:
        state = read_state(state_dir())
    except LaunchError:
        if run_dir is None:
            raise
        return run_dir, ""
    if run_dir is None or run_dir.resolve() == Path(state.run_dir).resolve():
        return Path(state.run_dir), state.socket_path
    return run_dir, ""
