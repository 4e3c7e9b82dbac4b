"""`m4sc run`: one run from a configuration to a complete run folder."""

from typing import Annotated

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


def run(
    config: Annotated[str, typer.Argument(help="A YAML file, or the name of a shipped configuration.")],
    overrides: Overrides = None,
    out: Out = None,
    dashboard: WithPage = False,
    dashboard_at: PageAt = None,
    as_json: Json = False,
) -> None:
    """Start, run the workload, stop; the run folder holds everything that was measured.

    Ctrl-C stops in order and leaves a complete run folder; a second Ctrl-C stops at once.

    Example: [bold]m4sc run vqa_heldout --set channel.snr_db=5 --set users=8 --out runs/snr5[/]
    """
    from shared.config_file import load_config

    page = page_address(dashboard, dashboard_at)
    settings = load_config(find_config(config), tuple(overrides or ()))
    raise typer.Exit(run_config(settings, out, as_json, page))
