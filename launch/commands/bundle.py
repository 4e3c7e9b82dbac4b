"""`m4sc bundle`: weight bundles."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.commands.common import print_json

if TYPE_CHECKING:
    from launch.bundles.verify import Report
    from shared.semantic.bundle import Bundle

app = typer.Typer(no_args_is_help=True)

_Preset = Annotated[str, typer.Option(help="Sizes: [bold]paper[/] or [bold]micro[/].")]
_AsJson = Annotated[bool, typer.Option("--json", help="Only the result, as JSON, on standard output.")]


@app.callback()
def _group() -> None:
    """Make and check weight bundles.

    Example: [bold]m4sc bundle create --preset paper --random --out bundles/paper[/]
    """


@app.command("create")
def create(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The bundle's folder: new or empty.")],
    preset: _Preset = "paper",
    vision: Annotated[
        str | None, typer.Option(metavar="DIR_OR_ID", help="SigLIP: a folder, or an id on the hub.")
    ] = None,
    llm: Annotated[
        str | None, typer.Option(metavar="DIR_OR_ID", help="Gemma2: a folder, or an id on the hub.")
    ] = None,
    random: Annotated[bool, typer.Option("--random", help="Random weights instead, at full size.")] = False,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="With --random: a tokenizer.json. [dim]the micro bundle's[/]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is not pre-trained.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Make a bundle, whole or not at all: pre-trained SigLIP and Gemma2, or random weights.

    The KAN projector and the channel codec start fresh. Hub ids are looked up in the local cache first.

    Example: [bold]m4sc bundle create --preset paper --vision google/siglip-large-patch16-256
    --llm google/gemma-2-2b-it --out bundles/paper[/]
    """
    from launch.errors import LaunchError

    if random and (vision or llm):
        raise LaunchError("--random: takes neither --vision nor --llm")
    if not random and not (vision and llm):
        raise LaunchError("expected --vision and --llm, or --random")
    if tokenizer is not None and not random:
        raise LaunchError("--tokenizer: only with --random; else it is the language model's own")

    from launch.bundles import create as making  # heavy: after what a person may have mistyped
    from launch.signals import StopSignals

    config = making.preset(preset)
    place = making.Place(out, force)
    with StopSignals(_leave):  # so that what is half-written is removed
        bundle = (
            making.create_random(config, seed, place, tokenizer, _progress)
            if random
            else making.create_pretrained(config, str(vision), str(llm), seed, place, _progress)
        )
    _show_created(bundle, as_json)


@app.command("verify")
def verify(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of a shipped one.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A data set, or a folder of data sets.")
    ] = None,
    imdb: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Reviews: .jsonl, .jsonl.gz, or aclImdb.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Files and tensors only, no runs.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the run folders here. [dim]not kept[/]")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Check a bundle's files, digests and tensors, then measure its card's numbers again.

    Exit code 1 if anything differs. A number agrees when it lies in the card's 95% interval.

    Example: [bold]m4sc bundle verify micro --data data --imdb data/imdb/dev.jsonl.gz[/]
    """
    from launch.errors import LaunchError

    for option, path in (("--data", data), ("--imdb", imdb)):
        if path is not None and not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")

    from launch.bundles.rerun import DataSets
    from launch.bundles.verify import verify as look
    from shared.shipped import bundle_folder

    report = look(bundle_folder(bundle), DataSets(data, imdb), quick, out)
    if as_json:
        print_json(report.to_json())
    else:
        _show_report(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command("measure")
def measure(
    bundle: Annotated[str, typer.Argument(help="A trained bundle's folder, or the name of a shipped one.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="Real CLEVR images, or a folder of data sets.")],
    imdb: Annotated[Path, typer.Option(metavar="FILE", help="Reviews that nothing was trained on.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Run folders; what is there counts.")],
    as_json: _AsJson = False,
) -> None:
    """Measure a trained bundle through the processes, and write the numbers into its card.

    Takes an hour or more; a stopped measurement goes on with the same [bold]--out[/].

    Example: [bold]m4sc bundle measure micro --data data --imdb data/imdb/dev.jsonl.gz --out runs/card[/]
    """
    from launch.errors import LaunchError

    for option, path in (("--data", data), ("--imdb", imdb)):
        if not path.exists():
            raise LaunchError(f"{option} {path}: no such file or folder")

    from launch.bundles.card import write_card
    from launch.bundles.measure import measure as run_all
    from launch.bundles.rerun import DataSets
    from shared.shipped import bundle_folder

    folder = bundle_folder(bundle)
    card = write_card(folder, run_all(folder, DataSets(data, imdb), out, _progress))
    if as_json:
        print_json(card.model_dump(mode="json"))
    else:
        print(f"card         {folder / 'README.md'}: {len(card.entries)} numbers")


@app.command("rates")
def rates(
    bundle: Annotated[str, typer.Argument(help="A trained bundle's folder, or the name of a shipped one.")],
    measured: Annotated[
        Path,
        typer.Option("--from", metavar="DIR", help="The --out of m4sc measure: SNRs and points, on AWGN."),
    ],
    as_json: _AsJson = False,
) -> None:
    """Put measured operating points into a bundle: what [bold]rate.target[/] chooses from.

    Example: [bold]m4sc measure --users 4 --snr 0,5,10,15,20 --points all,50,36,18 --overlap 0
    --out runs/rates; m4sc bundle rates micro --from runs/rates[/]
    """
    from launch.bundles.rates import write_rates
    from shared.shipped import bundle_folder

    folder = bundle_folder(bundle)
    table = write_rates(folder, measured)
    if as_json:
        print_json(table.model_dump(mode="json"))
    else:
        print(f"rates        {folder / 'rates.json'}: {len(table.points)} points")


def _leave(number: int) -> None:
    raise SystemExit(128 + number)


def _progress(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _show_created(bundle: "Bundle", as_json: bool) -> None:
    from launch.bundles.pretrained import parameters
    from shared.semantic.bundle import tensor_shapes

    counts = parameters(tensor_shapes(bundle.config))
    if as_json:
        print_json(
            {
                "path": str(bundle.path),
                "preset": bundle.config.name,
                "fingerprint": bundle.fingerprint,
                "bytes": bundle.manifest.bytes,
                "files": list(bundle.manifest.files),
                "parameters": counts,
            }
        )
        return
    print(f"bundle       {bundle.path}")
    print(f"fingerprint  {bundle.fingerprint}")
    print(f"parameters   {', '.join(f'{part} {count:,}' for part, count in counts.items())}")
    print(f"bytes        {bundle.manifest.bytes:,}")


def _show_report(report: "Report") -> None:
    if report.fingerprint:
        print(f"fingerprint  {report.fingerprint}")
        print(f"files        {report.files} files, {report.bytes:,} bytes, digests and tensors as recorded")
    if report.problem:
        print(f"problem      {report.problem}")
    for result in report.results:
        entry, found = result.entry, result.found
        print(f"{entry.name}: {result.status}")
        print(f"    recorded {entry.value:.4f} [{entry.low:.4f}, {entry.high:.4f}], n {entry.n}")
        if found is not None:
            print(f"    found    {found.value:.4f} [{found.low:.4f}, {found.high:.4f}], n {found.n}")
    if report.fingerprint and not report.results:
        print("card         no measured numbers")
