"""`m4sc demo`: the main job, with nothing to decide."""

import typer

from launch.commands.common import (
    Json,
    Out,
    Overrides,
    PageAt,
    WithPage,
    find_config,
    page_address,
    run_config,
)


def demo(
    overrides: Overrides = None,
    out: Out = None,
    dashboard: WithPage = True,
    dashboard_at: PageAt = None,
    as_json: Json = False,
) -> None:
    """A base station, a channel emulator and 4 UEs answer questions about real images over AWGN at 10 dB.

    Each role is a process of its own. Ends by itself with the bytes of every user and a report; while it
    runs, a page for the browser shows it live.

    Example: [bold]m4sc demo[/]
    """
    from shared.config_file import load_config

    page = page_address(dashboard, dashboard_at)
    config = load_config(find_config("demo"), tuple(overrides or ()))
    raise typer.Exit(run_config(config, out, as_json, page))
