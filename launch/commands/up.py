"""`m4sc up`: a testbed that stays up."""

from typing import Annotated

import typer

from launch.commands.common import Out, Overrides, display_for, find_config


def up(
    config: Annotated[
        str, typer.Argument(help="A YAML file, or the name of a shipped configuration.")
    ] = "demo",
    overrides: Overrides = None,
    out: Out = None,
) -> None:
    """Start a testbed in the background; returns when every role is ready.

    Its workload is what [bold]m4sc ask[/] asks. It stays up until [bold]m4sc down[/].

    Example: [bold]m4sc up --set users=2 && m4sc ask --image photo.png "what color is the large cube?"[/]
    """
    from launch.cluster_check import checked
    from launch.front import Front
    from launch.local_control import refuse_second, state_dir
    from launch.runfolder import create_run_folder
    from launch.signals import StopSignals
    from shared.config_file import load_config

    settings = load_config(find_config(config), tuple(overrides or ()))
    settings = checked(settings.model_copy(update={"name": f"up-{settings.name}"}))
    refuse_second(state_dir())
    with StopSignals() as signals:
        run_dir = create_run_folder(settings, out)
        code = Front(settings, run_dir, signals, display_for(settings, run_dir, False), state_dir()).run()
    if code == 0 and not signals.received:
        typer.echo(f"up: {settings.users} users, run folder {run_dir}")
    raise typer.Exit(code)
