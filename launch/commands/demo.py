"""`m4sc demo`: the main job, with nothing to decide."""

import typer

from launch.commands.common import Json, Out, Overrides, find_config, run_config


def demo(overrides: Overrides = None, out: Out = None, as_json: Json = False) -> None:
    """A base station, a channel emulator and 4 UEs answer questions about real images over AWGN at 10 dB.

    Each role is a process of its own. Ends by itself with the bytes of every user and a report.

    Example: [bold]m4sc demo[/]
    """
    from shared.config_file import load_config

    raise typer.Exit(run_config(load_config(find_config("demo"), tuple(overrides or ())), out, as_json))
