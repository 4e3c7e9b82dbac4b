"""`m4sc chaos`: runs under a schedule of faults, written or drawn; and faults for a testbed that is up."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from launch.commands.common import (
    Json,
    Out,
    Overrides,
    PageAt,
    WithPage,
    find_config,
    page_address,
    print_json,
    run_config,
)

if TYPE_CHECKING:
    from shared.config import RunConfig

_WAIT_S = 30.0


class _RunFirst(TyperGroup):
    """`m4sc chaos CONFIG SCENARIO` is `m4sc chaos run CONFIG SCENARIO`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["run", *args])


app = typer.Typer(cls=_RunFirst, no_args_is_help=True)
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of run and nemesis. [dim]the scenario's[/]")]
ConfigArgument = Annotated[str, typer.Argument(help="A YAML file, or the name of a shipped configuration.")]
ScenarioArgument = Annotated[str, typer.Argument(help="A YAML file, or the name of a shipped scenario.")]


@app.callback()
def _group() -> None:
    """Fault injection: what a run promises, kept or broken under faults.

    Example: [bold]m4sc chaos chaos everything[/]
    """


@app.command("run")
def run(
    config: ConfigArgument,
    scenario: ScenarioArgument,
    seed: Seed = None,
    overrides: Overrides = None,
    out: Out = None,
    dashboard: WithPage = False,
    dashboard_at: PageAt = None,
    as_json: Json = False,
) -> None:
    """A run under a scenario of faults, with the verdict; `run` may be left out.

    The run folder's config.yaml has all faults, drawn ones too:
    [bold]m4sc run FOLDER/config.yaml[/] repeats the run.

    Example: [bold]m4sc chaos chaos everything --seed 3 --out runs/everything[/]
    """
    page = page_address(dashboard, dashboard_at)
    found = _under(config, scenario, seed, overrides)
    _say_schedule(found)
    raise typer.Exit(run_config(found, out, as_json, page))


@app.command("sweep")
def sweep(
    config: ConfigArgument,
    scenario: ScenarioArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and table; goes on if stopped.")],
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 30,
    first_seed: Annotated[int, typer.Option(min=0, help="They are this one and those that follow.")] = 1,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """The scenario with one seed after the other; the worst verdict is the exit code.

    Example: [bold]m4sc chaos sweep chaos nemesis --seeds 30 --out runs/nemesis[/]
    """
    from launch.chaos.sweep import SweepOrder, run_all
    from launch.chaos.sweep_view import sweep_view, write_lines

    found = {n: _under(config, scenario, n, overrides) for n in range(first_seed, first_seed + seeds)}
    lines = run_all(SweepOrder(config, scenario, tuple(overrides or ()), out), found, _say)
    table = write_lines(out, lines)
    if as_json:
        print_json([line.as_row() for line in lines])
    else:
        from rich.console import Console

        Console(width=None if sys.stdout.isatty() else 160).print(sweep_view(lines))
        print(table)
    raise typer.Exit(max((line.exit_code for line in lines), key=_WORST.index))


_WORST = (0, 3, 1)
"""Exit codes of verdicts from good to bad."""


@app.command("inject")
def inject(
    fault: Annotated[str, typer.Argument(help="As in a scenario, on one line of YAML.")],
    as_json: Json = False,
) -> None:
    """Put a fault into the testbed that is up; it begins now, unless it has `at_s`.

    Example: [bold]m4sc chaos inject "{fault: loss, probability: 0.3, for_s: 10, on: {users: [1]}}"[/]
    """
    from launch.chaos.entries import checked_fault
    from launch.local_control import read_state, state_dir
    from launch.runfolder import read_config
    from shared.config_file import ConfigError
    from shared.yaml_door import YamlError, parse_yaml

    try:
        entry = parse_yaml(fault)
    except YamlError:
        raise ConfigError(f"{fault}: not YAML, expected {{fault: ..., ...}}") from None
    checked_fault(entry, read_config(Path(read_state(state_dir()).run_dir)))
    told = _call({"verb": "inject", "fault": entry})
    print_json(told) if as_json else typer.echo(" ".join(str(value) for value in told.values()))


@app.command("heal")
def heal(as_json: Json = False) -> None:
    """End all faults of the testbed that is up, those that have not begun included.

    Example: [bold]m4sc chaos heal[/]
    """
    told = _call({"verb": "heal"})
    print_json(told) if as_json else typer.echo(f"{told['ended']} faults on messages ended")


def _call(request: dict[str, Any]) -> dict[str, Any]:
    from launch.local_control import call, read_state, state_dir

    return call(read_state(state_dir()), request, _WAIT_S)


def _under(config: str, scenario: str, seed: int | None, overrides: list[str] | None) -> "RunConfig":
    from launch.chaos.scenario import read_scenario
    from shared.config_file import load_config

    return read_scenario(scenario).under(load_config(find_config(config), tuple(overrides or ())), seed)


def _say_schedule(config: "RunConfig") -> None:
    from launch.chaos.schedule_view import schedule_lines

    for line in schedule_lines(config):
        _say(line)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
