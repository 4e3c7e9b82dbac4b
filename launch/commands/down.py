"""`m4sc down`: end the testbed that is up."""

from pathlib import Path

import typer

_ANSWER_S = 15.0
_STOP_S = 180.0


def down() -> None:
    """Finish what is open, stop every process, complete the run folder.

    Example: [bold]m4sc down[/]
    """
    from launch.errors import LaunchError
    from launch.guardian import kill_run, wait_gone
    from launch.local_control import call, read_state, state_dir
    from launch.runfolder import read_summary

    state = read_state(state_dir())
    call(state, {"verb": "down"}, _ANSWER_S)
    if not wait_gone(state.pid, _STOP_S):
        kill_run(state.run_id)
        raise LaunchError(
            f"the testbed did not stop within {_STOP_S:g} s and was killed; its run folder: {state.run_dir}"
        )
    left = kill_run(state.run_id)
    if left:
        raise LaunchError(f"these processes could not be killed: {', '.join(map(str, left))}")
    summary = read_summary(Path(state.run_dir))
    counts = summary["requests"]
    typer.echo(
        f"down: {counts['answered']} of {counts['attempted']} requests answered, run folder {state.run_dir}"
    )
