"""`m4sc`: the commands, and the one place where errors of a person become one line and exit code 2.

Nothing heavy is imported here or by `--help`: commands import what they need when they run.
"""

import sys

import typer

from launch.commands import ask, bundle, data, demo, doctor, down, experiment, report, run, status, train, up

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
app.command("up")(up.up)
app.command("ask")(ask.ask)
app.command("status")(status.status)
app.command("down")(down.down)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(bundle.app, name="bundle")
app.command("train")(train.train)
app.add_typer(experiment.app, name="experiment")
app.command("report")(report.report)

_USER_ERRORS = (
    ("shared.config", "ConfigError"),
    ("shared.semantic.bundle", "BundleError"),
    ("basestation.image_door", "BadInput"),
    ("launch.datasets.errors", "DatasetError"),
    ("launch.errors", "LaunchError"),
)
BAD_INPUT = 2


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except _user_errors() as error:
        # One line, whatever a library wrote into the message.
        print(f"m4sc: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(BAD_INPUT)


def _user_errors() -> tuple[type[BaseException], ...]:
    """Looked up when something was raised: a type whose module was never imported cannot be it."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, name in _USER_ERRORS
        if module in sys.modules and hasattr(sys.modules[module], name)
    )


if __name__ == "__main__":
    main()
