"""`m4sc`: the commands.

Nothing heavy is imported here or by `--help`: commands import what they need when they run.
"""

import typer

from launch.commands import (
    ask,
    bench,
    bundle,
    chaos,
    dashboard,
    data,
    demo,
    doctor,
    down,
    experiment,
    measure,
    report,
    run,
    status,
    train,
    up,
)
from launch.standby import shared_by_runs
from launch.user_errors import reporting_errors

app = typer.Typer(
    name="m4sc",
    help="A distributed testbed for the semantic communication system M4SC.\n\n"
    "Exit codes: 0 valid, 1 invalid, 2 bad input, 3 unknown (cut short, or not enough is known).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.add_typer(chaos.app, name="chaos")
app.command("measure")(measure.measure)
app.command("up")(up.up)
app.command("ask")(ask.ask)
app.command("status")(status.status)
app.command("down")(down.down)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(bundle.app, name="bundle")
app.command("train")(train.train)
app.add_typer(experiment.app, name="experiment")
app.command("bench")(bench.bench)
app.command("report")(report.report)
app.command("dashboard")(dashboard.dashboard)


def main() -> None:
    """Entry point of the console script."""
    reporting_errors(_command)


def _command() -> None:
    with shared_by_runs():
        app()


if __name__ == "__main__":
    main()
