"""What several commands share: finding a configuration, running it, showing it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from launch.dashboard.address import Address
    from launch.front import Display
    from shared.config import RunConfig

CONFIGS = Path(__file__).resolve().parent.parent / "configs"

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=V", help="Override one key of the configuration; may be repeated."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Run folder: new or empty. [dim]runs/<time>-<name>[/]"),
]
Deepsc = Annotated[Path | None, typer.Option("--deepsc", metavar="DIR", help="The bundle of scheme deepsc.")]
DeepscVqa = Annotated[
    Path | None, typer.Option("--deepsc-vqa", metavar="DIR", help="The bundle of scheme deepsc_vqa.")
]
Json = Annotated[bool, typer.Option("--json", help="Only the summary, as JSON, on standard output.")]


WithPage = Annotated[
    bool, typer.Option("--dashboard/--no-dashboard", help="Serve a live page of the run while it goes on.")
]
PageAt = Annotated[
    str | None,
    typer.Option(
        "--dashboard-at", metavar="HOST:PORT", help="Where; a token is needed unless HOST is loopback. "
        "[dim]127.0.0.1 and any free port[/]",
    ),
]  # fmt: skip


def page_address(wanted: bool, at: str | None) -> "Address | None":
    """Where the run's page shall be. Raises `LaunchError` for what is no address."""
    from launch.dashboard.address import Address, parse_address

    if at is not None:
        return parse_address(at, "--dashboard-at")
    return Address() if wanted else None


def own_weights(deepsc: Path | None, deepsc_vqa: Path | None) -> dict[str, Path]:
    """Bundles of schemes that have their own, by scheme, as far as they were given."""
    given = {"deepsc": deepsc, "deepsc_vqa": deepsc_vqa}
    return {scheme: path for scheme, path in given.items() if path is not None}


def find_config(name: str) -> Path:
    """A path, or the name of a shipped configuration. Raises `ConfigError`."""
    from launch.shipped_files import find_shipped

    return find_shipped(name, CONFIGS, "configuration")


def run_config(
    config: "RunConfig", out: Path | None, as_json: bool, dashboard: "Address | None" = None
) -> int:
    """Run, show, return the verdict's exit code. Raises the errors of a person's input."""
    from launch.cluster_check import checked
    from launch.front import Front
    from launch.runfolder import create_run_folder, read_summary
    from launch.signals import StopSignals

    config = checked(config)
    with StopSignals() as signals:  # before anything exists that a signal would have to clean up
        run_dir = create_run_folder(config, out)
        display = display_for(config, run_dir, as_json)
        code = Front(config, run_dir, signals, display, dashboard=dashboard).run()
        if as_json:
            print(json.dumps(read_summary(run_dir), indent=2))
        else:
            _show_summary(run_dir)
    return code


def display_for(config: "RunConfig", run_dir: Path, as_json: bool) -> "Display":
    """A live table on a terminal, else lines; always on standard error with `as_json`."""
    from launch.displays import LineDisplay, TableDisplay

    stream = sys.stderr if as_json else sys.stdout
    return TableDisplay(config, run_dir, stream) if stream.isatty() else LineDisplay(sys.stderr)


def _show_summary(run_dir: Path) -> None:
    from rich.console import Console

    from launch.runfolder import read_summary
    from launch.summary_table import summary_view

    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(summary_view(read_summary(run_dir)))
    console.print(f"run folder  {run_dir}", soft_wrap=True, highlight=False)
    console.print(f"report      {run_dir / 'report.html'}", soft_wrap=True, highlight=False)
    console.print(f"see again   m4sc dashboard {run_dir}", soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
