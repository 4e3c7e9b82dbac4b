"""`m4sc experiment fig5` and `fig6`: the paper's comparisons of every scheme: figure, tables, page."""

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launch.commands.common import Deepsc, DeepscVqa, Overrides, own_weights, print_json

if TYPE_CHECKING:
    from launch.experiments.paper.sheets import Work

_SNR_DB = (-50.0, 100.0)
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Runs and results; goes on if stopped.")]
Quick = Annotated[bool, typer.Option("--quick", help="Few rows and requests: ten minutes on two cores.")]
Points = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="Operating points, as of m4sc measure. [dim]all schemes[/]"),
]
Requests = Annotated[int | None, typer.Option(min=1, help="Of each row.")]
Seed = Annotated[int | None, typer.Option(min=0, help="[dim]the configurations'[/]")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="A data set, or a folder with data sets.")
]
Json = Annotated[bool, typer.Option("--json", help="Only the rows, as JSON, on standard output.")]


def fig5(
    out: Out,
    quick: Quick = False,
    snr: Annotated[str | None, typer.Option(metavar="LIST", help="On AWGN: average Es/N0 in dB.")] = None,
    fading: Annotated[str | None, typer.Option(metavar="LIST", help="On Rayleigh, in dB; or none.")] = None,
    together: Annotated[
        str | None, typer.Option(metavar="LIST", help="With one picture for all users, in dB; or none.")
    ] = None,
    points: Points = None,
    requests: Requests = None,
    seed: Seed = None,
    overrides: Overrides = None,
    data: Data = None,
    imdb: Annotated[Path | None, typer.Option("--imdb", metavar="PATH", help="Reviews.")] = None,
    deepsc: Deepsc = None,
    deepsc_vqa: DeepscVqa = None,
    as_json: Json = False,
) -> None:
    """Accuracy against SNR of every scheme, and the schemes at matched bandwidth.

    Questions and reviews, on AWGN and on Rayleigh block fading. Schemes without weights, and reviews that are
    not there, are left out and named. Ctrl-C leaves what is finished; the same command goes on from there.

    Example: [bold]m4sc experiment fig5 --quick --imdb imdb/dev.jsonl.gz --deepsc bundles/deepsc
    --deepsc-vqa bundles/deepsc_vqa --out runs/fig5[/]
    """
    from launch.experiments.paper import fig5 as figure
    from launch.measurement.grid import numbers

    choice = figure.QUICK if quick else figure.FULL
    choice = replace(
        choice,
        snrs_db=choice.snrs_db if snr is None else tuple(numbers("--snr", snr, *_SNR_DB)),
        fading_db=_chosen("--fading", fading, choice.fading_db, *_SNR_DB),
        together_db=_chosen("--together", together, choice.together_db, *_SNR_DB),
        points=_points(points, choice.points),
        requests=requests or choice.requests,
    )
    work = _work(out, data, imdb, own_weights(deepsc, deepsc_vqa))
    left_out = _left_out(work.weights, ("deepsc", "deepsc_vqa"))
    with_reviews = _has_reviews(imdb)
    if not with_reviews:
        left_out.append("Left out: reviews, as there are none; --imdb names them.")
    for line in left_out:
        _say(line)
    sheets = figure.sheets(choice, _sets(overrides, seed), work, with_reviews)
    found = figure.measure(sheets, work)
    from launch.experiments.paper.page import write_fig5

    paths = write_fig5(out, _command(), left_out, sheets, found)
    _finish(as_json, [row.model_dump(mode="json") for row in found.rows], paths)


def fig6(
    out: Out,
    quick: Quick = False,
    users: Annotated[str | None, typer.Option(metavar="LIST", help="Numbers of users.")] = None,
    overlap: Annotated[
        str | None, typer.Option(metavar="LIST", help="Shares of the users that ask about one common image.")
    ] = None,
    alone: Annotated[
        str | None, typer.Option(metavar="LIST", help="Overlaps at which sharing is off too; or none.")
    ] = None,
    snr: Annotated[float | None, typer.Option(min=-50, max=100, help="Average received Es/N0 in dB.")] = None,
    points: Points = None,
    requests: Requests = None,
    accuracy_requests: Annotated[
        int | None, typer.Option(min=1, help="Of each operating point, to choose by its accuracy.")
    ] = None,
    seed: Seed = None,
    overrides: Overrides = None,
    data: Data = None,
    deepsc_vqa: DeepscVqa = None,
    as_json: Json = False,
) -> None:
    """Transmitted data against users, overlap as parameter, every scheme at a point of about equal accuracy.

    First the accuracy of every operating point; then users x overlap x sharing with the ones that match.
    Schemes without weights are left out and named. Ctrl-C leaves what is finished; the same command goes on
    from there.

    Example: [bold]m4sc experiment fig6 --quick --deepsc-vqa bundles/deepsc_vqa --out runs/fig6[/]
    """
    from launch.experiments.paper import fig6 as figure
    from launch.measurement.grid import numbers, whole_numbers

    choice = figure.QUICK if quick else figure.FULL
    choice = replace(
        choice,
        users=choice.users if users is None else tuple(whole_numbers("--users", users, 1, 65_536)),
        overlaps=choice.overlaps if overlap is None else tuple(numbers("--overlap", overlap, 0.0, 1.0)),
        alone_overlaps=_chosen("--alone", alone, choice.alone_overlaps, 0.0, 1.0),
        snr_db=choice.snr_db if snr is None else snr,
        points=_points(points, choice.points),
        requests=requests or choice.requests,
        accuracy_requests=accuracy_requests or choice.accuracy_requests,
    )
    work = _work(out, data, None, own_weights(None, deepsc_vqa))
    left_out = _left_out(work.weights, ("deepsc_vqa",))
    for line in left_out:
        _say(line)
    found = figure.measure(choice, _sets(overrides, seed), work)
    from launch.experiments.paper.page import write_fig6

    paths = write_fig6(out, _command(), left_out, found)
    _finish(as_json, [row.model_dump(mode="json") for row in (*found.accuracy, *found.rows)], paths)


def _work(out: Path, data: Path | None, imdb: Path | None, weights: Mapping[str, Path]) -> "Work":
    from launch.bundles.rerun import DataSets, run_measured
    from launch.experiments.paper.sheets import Work

    return Work(out, DataSets(data, imdb), weights, _say, run_measured, time.monotonic)


def _has_reviews(imdb: Path | None) -> bool:
    """Those that are named, or those that the configuration expects."""
    from launch.commands.common import find_config
    from shared.config_file import load_config

    root = load_config(find_config("imdb_file"), ()).workload.root
    return imdb is not None or (root is not None and Path(root).exists())


def _left_out(weights: Mapping[str, Path], schemes: Sequence[str]) -> list[str]:
    missing = [scheme for scheme in schemes if scheme not in weights]
    return [
        f"Left out: {scheme}, whose weights --{scheme.replace('_', '-')} would name." for scheme in missing
    ]


def _chosen(
    option: str, text: str | None, usual: tuple[float, ...], low: float, high: float
) -> tuple[float, ...]:
    """A list, `none`, or the usual one."""
    from launch.measurement.grid import numbers

    if text is None:
        return usual
    return () if text == "none" else tuple(numbers(option, text, low, high))


def _points(text: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Raises `LaunchError` for one that is none."""
    from launch.measurement.points import Point

    chosen = usual if text is None else tuple(text.split(","))
    for point in chosen:
        Point.parse(point)
    return chosen


def _sets(overrides: Sequence[str] | None, seed: int | None) -> tuple[str, ...]:
    return (*(overrides or ()), *(() if seed is None else (f"seed={seed}",)))


def _command() -> str:
    return shlex.join(["m4sc", *sys.argv[1:]])


def _finish(as_json: bool, rows: list[dict[str, Any]], paths: Sequence[Path]) -> None:
    if as_json:
        print_json(rows)
    else:
        for path in paths:
            print(path)


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
