"""`m4sc status`: what the testbed that is up is doing."""

import typer

from launch.commands.common import Json, print_json

_WAIT_S = 15.0


def status(as_json: Json = False) -> None:
    """Show the roles of the testbed that is up, and its counts.

    Example: [bold]m4sc status --json[/]
    """
    from launch.local_control import call, read_state, state_dir

    state = read_state(state_dir())
    found = call(state, {"verb": "status"}, _WAIT_S)
    if as_json:
        print_json({"run_id": state.run_id, "pid": state.pid, **found})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("role", "user", "pid", "host", "incarnation", "state", box=None)
    for role in found["roles"]:
        user = "" if role["user"] < 0 else str(role["user"])
        ended = role["exit_code"]
        how = "running" if ended is None else f"ended ({ended})"
        table.add_row(role["role"], user, str(role["pid"]), role["host"], str(role["incarnation"]), how)
    console = Console()
    console.print(f"up, supervisor {state.pid}, run folder {state.run_dir}", soft_wrap=True, highlight=False)
    if found["dashboard"]:
        console.print(f"dashboard {found['dashboard']}", soft_wrap=True, highlight=False)
    console.print(table)
    counts = found["progress"]
    names = ("attempted", "open", "answered", "degraded", "failed", "expired", "refused")
    console.print(" · ".join(f"{name} {counts.get(name, 0)}" for name in names), highlight=False)
    if found["failure"]:
        typer.echo(f"failed: {found['failure']}")
