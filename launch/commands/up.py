"""`m4sc up`: a testbed that stays up."""

from typing import Annotated

import typer

from launch.commands.common import Out, Overrides, PageAt, WithPage, display_for, find_config, page_address


def up(
    config: Annotated[
        str, typer.Argument(help="A YAML file, or the name of a shipped configuration.")
    ] = "demo",
    overrides: Overrides = None,
    out: Out = None,
    dashboard: WithPage = True,
    dashboard_at: PageAt = None,
) -> None:
    """Start a testbed in the background; returns when every role is ready.

    Its workload is what [bold]m4sc ask[/] asks. It stays up until [bold]m4sc down[/].

    Example: [bold]m4sc up --set users=2 && m4sc ask --image photo.png "what color is the large cube?"[/]
    """
    from launch.cluster_check import checked
    from launch.front import Front
    from launch.local_control import read_state, refuse_second, state_dir
    from launch.runfolder import create_run_folder
    from launch.signals import StopSignals
    from shared.config_file import load_config

    page = page_address(dashboard, dashboard_at)
    settings = load_config(find_config(config), tuple(overrides or ()))
    settings = checked(settings.model_copy(update={"name": f"up-{settings.name}"}))
    refuse_second(state_dir())
    with StopSignals() as signals:
        run_dir = create_run_folder(settings, out)
        display = display_for(settings, run_dir, False)
        code = Front(settings, run_dir, signals, display, state_dir(), page).run()
    if code == 0 and not signals.received:
        typer.echo(f"up: {settings.users} users, run folder {run_dir}")
        if found := read_state(state_dir()).dashboard:
            typer.echo(f"dashboard  {found}")
    raise typer.Exit(code)
