"""`m4sc experiment`: what the paper compares, measured here."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.commands import ldpc, paper_figures
from launch.commands.common import Overrides, print_json

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(no_args_is_help=True)
app.command("fig5")(paper_figures.fig5)
app.command("fig6")(paper_figures.fig6)
app.command("ldpc")(ldpc.ldpc)


@app.callback()
def _group() -> None:
    """Comparisons, with a table and a plot.

    Example: [bold]m4sc experiment ablations --train runs/train --data data/clevr-style-train
    --imdb imdb/train.jsonl.gz --out runs/ablations[/]
    """


@app.command("ablations")
def ablations(
    train: Annotated[
        Path,
        typer.Option(
            "--train", metavar="DIR", help="The --out of m4sc train; of one not finished: no traces."
        ),
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data set it was trained on.")],
    imdb: Annotated[Path, typer.Option("--imdb", metavar="FILE", help="The reviews it was trained on.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Variants and results; goes on if stopped.")
    ],
    reviews: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Reviews to judge by. [dim]dev.jsonl.gz beside --imdb[/]"),
    ] = None,
    share: Annotated[float, typer.Option(min=0.0001, max=1.0, help="Of the run's steps, this share.")] = 0.25,
    questions: Annotated[int, typer.Option(min=1, help="A run; a quarter as many captions.")] = 600,
    only: Annotated[
        list[str] | None,
        typer.Option(help="projector, tasks, joint, split or traces; may be repeated. Without it: all."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Training processes, by Ray Train.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the results, as JSON, on standard output.")
    ] = False,
) -> None:
    """Train variants that differ in one thing each, measure them through the processes, write tables.

    Projector (KAN or MLP), tasks together or alone, with or without phase 3, split layer, reasoning traces.
    Ctrl-C leaves what is finished; the same command goes on from there.

    Example: [bold]m4sc experiment ablations --train runs/train --data data/clevr-style-train
    --imdb imdb/train.jsonl.gz --out runs/ablations --only projector --questions 300[/]
    """
    from launch.experiments.ablations import Ablations, order
    from launch.experiments.results import PAGE_FILE

    wanted = order(train, data, imdb, reviews, out, share, questions, only or (), workers)
    results = Ablations(wanted, _say).all()
    if as_json:
        print_json(results.model_dump(mode="json"))
    else:
        print(out / PAGE_FILE)


@app.command("erasures")
def erasures(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")],
    loss: Annotated[
        str, typer.Option(metavar="LIST", help="Shares of the frames that are lost, in %.")
    ] = "0,1,2,5,10,20,50",
    kinds: Annotated[str, typer.Option(metavar="LIST", help="bernoulli, burst or both.")] = "bernoulli,burst",
    burst: Annotated[float, typer.Option(min=1.0, help="Tokens that a burst loses on average.")] = 16.0,
    frame: Annotated[int, typer.Option(min=1, max=4_096, help="Tokens of a frame.")] = 1,
    requests: Annotated[int, typer.Option(min=1, help="Of each row.")] = 600,
    seed: Annotated[int | None, typer.Option(min=0, help="[dim]the configuration's[/]")] = None,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "measure",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")
    ] = False,
) -> None:
    """Accuracy against the share of erased tokens, with retransmission off; erasures.csv, .parquet and .png.

    Every answer from erased tokens must be marked as degraded. Ctrl-C leaves what is finished; the same
    command goes on from there, and one with more rows adds them.

    Example: [bold]m4sc experiment erasures --loss 0,5,20,50 --requests 300 --out runs/erasures[/]
    """
    from launch.measurement.grid import numbers

    percents = numbers("--loss", loss, 0.0, 90.0)
    from launch.bundles.rerun import DataSets
    from launch.experiments import erasures as experiment

    places = experiment.losses(kinds.split(","), percents, burst, frame)
    sets = [*(overrides or ()), f"workload.requests={requests}"]
    sets += [] if seed is None else [f"seed={seed}"]
    rows = experiment.measure(experiment.order(config, sets, places, DataSets(data), out), _say)
    from launch.experiments.erasures_view import draw, table_of

    draw(rows, out / experiment.PLOT_FILE)
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    _show([table_of(rows)], [out / experiment.TABLE_FILE, out / experiment.PLOT_FILE], 140)


@app.command("load")
def load(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")],
    rates: Annotated[
        str | None, typer.Option(metavar="LIST", help="Requests a second. Without it: searched for.")
    ] = None,
    lowest: Annotated[
        float, typer.Option(min=0.01, max=1e4, help="Where the search begins: so few that none waits.")
    ] = 1.0,
    steps: Annotated[int, typer.Option(min=0, max=8, help="Of the search, once a rate is too high.")] = 2,
    overload: Annotated[float, typer.Option(min=1.0, max=100.0, help="Times a rate that is too high.")] = 2.0,
    requests: Annotated[int, typer.Option(min=10, max=100_000, help="At each rate.")] = 200,
    seed: Annotated[int | None, typer.Option(min=0, help="[dim]the configuration's[/]")] = None,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "load",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the outcome, as JSON, on standard output.")
    ] = False,
) -> None:
    """The highest rate of requests that is served in time, and what an overload does; load.csv, .json, .png.

    In time: all answered, p99 below twice that of the lowest rate. Arrivals are a Poisson process, latency
    counts from the intended arrival. Beyond limits.open_requests requests are refused as busy. Ctrl-C leaves
    what is finished; the same command goes on from there.

    Example: [bold]m4sc experiment load --requests 300 --out runs/load[/]
    """
    from launch.measurement.grid import numbers

    chosen = () if rates is None else tuple(numbers("--rates", rates, 0.01, 1e5))
    from launch.bundles.rerun import DataSets
    from launch.experiments import load as experiment
    from launch.experiments.load_plan import Plan

    plan = Plan(lowest, chosen, steps, overload, requests)
    sets = [*(overrides or ()), *([] if seed is None else [f"seed={seed}"])]
    wanted = experiment.order(config, sets, plan, DataSets(data), out)
    measured = experiment.measure(wanted, plan, _say)
    outcome = measured.outcome
    from launch.experiments.load_view import draw, said, table_of

    draw(measured, out / experiment.PLOT_FILE)
    if as_json:
        print_json(outcome.model_dump(mode="json"))
        return
    files = [out / experiment.TABLE_FILE, out / experiment.PLOT_FILE]
    _show([table_of(outcome.rows)], [*said(outcome), *files], 140)


@app.command("scale")
def scale(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")],
    users: Annotated[str, typer.Option(metavar="LIST", help="Numbers of users.")] = "1,4,16,32,64",
    extrapolate: Annotated[
        str, typer.Option(metavar="LIST", help="Numbers of users to work out.")
    ] = "1000,100000",
    per_minute: Annotated[
        float, typer.Option(min=0.0, max=6_000.0, help="Requests of each of these users.")
    ] = 1.0,
    cores: Annotated[float, typer.Option(min=1.0, max=1_024.0, help="Of each of their hosts.")] = 2.0,
    memory_gib: Annotated[float, typer.Option(min=1.0, max=65_536.0, help="Of each of their hosts.")] = 24.0,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "scale",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the outcome, as JSON, on standard output.")
    ] = False,
) -> None:
    """Start-up, memory and processor time against the number of users, and what many more would need.

    Each user asks four questions. scale.csv, .parquet, .json and .png; docs/scaling.md has the formula.
    Ctrl-C leaves what is finished; the same command goes on from there, and one with more users adds rows.

    Example: [bold]m4sc experiment scale --users 1,4,16,32,64 --out runs/scale[/]
    """
    from launch.measurement.grid import whole_numbers

    counts = whole_numbers("--users", users, 1, 65_536)
    further = whole_numbers("--extrapolate", extrapolate, 1, 10**9)
    if len(counts) < 2:
        from launch.errors import LaunchError

        raise LaunchError(f"--users {users}: expected at least two numbers, to tell what each user adds")
    from launch.bundles.rerun import DataSets
    from launch.experiments import scale as experiment
    from launch.experiments.scale_fit import fit, most_users, needs
    from launch.standby import each_on_its_own

    order = experiment.order(config, overrides or (), experiment.sizes(counts), DataSets(data), out)
    with each_on_its_own():  # its start is what a row measures
        rows = experiment.measure(order, _say)
    found = fit(rows)
    lines = [needs(found, count, per_minute, cores, memory_gib) for count in further]
    most = {role: most_users(found, role, per_minute) for role in ("bs", "ce")}
    outcome = {
        "rows": [row.model_dump(mode="json") for row in rows],
        "fit": found.model_dump(mode="json"),
        "needs": [line.model_dump(mode="json") for line in lines],
        "most_users": most,
    }
    from launch.experiments.scale_view import costs_of, draw, needs_of, said, table_of

    draw(rows, found, out / experiment.PLOT_FILE)
    experiment.write_json(out / experiment.JSON_FILE, outcome)
    if as_json:
        print_json(outcome)
        return
    tables = [table_of(rows), costs_of(found), needs_of(lines, cores, memory_gib)]
    files = [out / experiment.TABLE_FILE, out / experiment.PLOT_FILE]
    _show(tables, [*said(found, most, per_minute), *files], 160)


@app.command("merging")
def merging(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")],
    split: Annotated[str, typer.Option(metavar="LIST", help="Layers to cut the model at.")] = "2",
    at: Annotated[str, typer.Option(metavar="LIST", help="Where tokens are compared.")] = "split,projector",
    cosine: Annotated[
        str, typer.Option(metavar="LIST", help="How alike tokens must be to be merged.")
    ] = "0.97,0.95",
    similar: Annotated[
        str, typer.Option(metavar="LIST", help="What is merged: within_image, anywhere or both.")
    ] = "within_image,anywhere",
    requests: Annotated[int, typer.Option(min=1, help="Of each row and seed.")] = 3_000,
    seed: Annotated[int | None, typer.Option(min=0, help="[dim]the configuration's[/]")] = None,
    seeds: Annotated[
        int,
        typer.Option(min=1, max=1_000, help="So many runs a row, from that seed on, their answers pooled."),
    ] = 1,
    config: Annotated[
        str, typer.Option(help="A YAML file, or the name of a shipped configuration.")
    ] = "measure",
    overrides: Overrides = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")
    ] = False,
) -> None:
    """What similar tokens save on the air when they are merged, and what each question family loses by it.

    Rows without merging, within images, and anywhere, each against the one before. Writes merging.csv,
    families.csv (and .parquet) and merging.png after each seed. Ctrl-C leaves what is finished; the same
    command goes on, and one with more seeds adds to it.

    Example: [bold]m4sc experiment merging --cosine 0.97,0.95 --set users=8 --out runs/merging[/]
    """
    from launch.measurement.grid import numbers, whole_numbers

    layers = whole_numbers("--split", split, 0, 1_024)
    thresholds = numbers("--cosine", cosine, -1.0, 1.0)
    from launch.bundles.rerun import DataSets
    from launch.experiments import merging as experiment

    rows_wanted = experiment.rows_of(layers, at.split(","), thresholds, similar.split(","))
    sets = [*(overrides or ()), f"workload.requests={requests}"]
    wanted = experiment.order(config, sets, rows_wanted, DataSets(data), out, seed, seeds)
    rows, families = experiment.measure(wanted, _say)
    from launch.experiments.merging_view import draw, family_table, table_of

    draw(rows, out / experiment.PLOT_FILE)
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    files = [experiment.TABLE_FILE, *([experiment.FAMILIES_FILE] if families else []), experiment.PLOT_FILE]
    tables = [table_of(rows), *([family_table(families)] if families else [])]
    _show(tables, [out / name for name in files], 170)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _show(tables: "Sequence[Table]", lines: Sequence[str | Path], width: int) -> None:
    """Tables, then lines; so many characters wide where standard output is no terminal."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else width)
    for table in tables:
        console.print(table)
    for line in lines:
        console.print(str(line), soft_wrap=True, highlight=False)
