"""What the ablations leave behind: `ablations.json`, `ablations.csv`, a page of Markdown and the curves."""

import csv
import io
import os
from pathlib import Path
from typing import Final, Literal

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from pydantic import BaseModel, ConfigDict, ValidationError

from launch.errors import LaunchError
from launch.experiments.table import COLUMNS, Table, csv_rows, markdown
from launch.experiments.variants import GROUPS
from launch.training.curves import read_log
from launch.training.record import LOG_FILE
from launch.training.tuning import ALIGN, JOINT, TUNE

JSON_FILE, CSV_FILE, PAGE_FILE, CURVES_FILE = (
    "ablations.json",
    "ablations.csv",
    "ablations.md",
    "ablations.png",
)
_PHASES: Final = (ALIGN, TUNE, JOINT)
LOSSES: Final = ("align/loss", "vqa/loss", "review/loss", "caption/loss")


class Results(BaseModel):
    """All tables so far. `steps` are those of the variants' phases, `share` of the run's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal[1] = 1
    command: str
    share: float
    steps: dict[str, int]
    seed: int
    tables: dict[str, Table]


def read_results(out: Path) -> Results | None:
    """What an earlier call left. Raises `LaunchError`."""
    path = out / JSON_FILE
    if not path.exists():
        return None
    try:
        return Results.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise LaunchError(f"{path}: {place}: {first['msg']}") from None


def write_results(out: Path, results: Results) -> None:
    """All four files, each whole or as it was."""
    _replace(out / JSON_FILE, results.model_dump_json(indent=2) + "\n")
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(COLUMNS)
    ordered = {group: results.tables[group] for group in GROUPS if group in results.tables}
    for group, table in ordered.items():
        writer.writerows(csv_rows(group, table))
    _replace(out / CSV_FILE, rows.getvalue())
    drawn = draw_variants(out, out / CURVES_FILE)
    _replace(out / PAGE_FILE, page(results, drawn))


def page(results: Results, drawn: bool) -> str:
    steps = ", ".join(
        f"{results.steps[phase]:,} of phase {number}" for number, phase in enumerate(_PHASES, 1)
    )
    parts = [
        "# Ablations",
        f"All variants start from one phase 0 (vision tower and language model) and train {steps}: "
        f"{results.share:g} of the run's steps, seed {results.seed}. So they compare with each other, not "
        "with weights of the whole recipe. Every figure is a run through the processes; `ablations.json` and "
        "`ablations.csv` give the command of each.",
        f"```\n{results.command}\n```",
        *(markdown(results.tables[group]) for group in GROUPS if group in results.tables),
    ]
    if drawn:
        parts.append(f"## Losses\n\n![Losses of the variants in phases 1 to 3]({CURVES_FILE})")
    return "\n\n".join(parts) + "\n"


def draw_variants(out: Path, path: Path) -> bool:
    """Rows of plots for the losses, columns for the phases, a line for each variant that trained it."""
    logs = {log.parent.name: read_log(log.parent) for log in sorted(out.glob(f"*/{LOG_FILE}"))}
    if not logs:
        return False
    figure, axes = plt.subplots(len(LOSSES), len(_PHASES), figsize=(12.0, 2.6 * len(LOSSES)), squeeze=False)
    colours = {name: plt.get_cmap("tab20")(number) for number, name in enumerate(logs)}
    for place, loss in zip(axes, LOSSES, strict=True):
        for axis, phase in zip(place, _PHASES, strict=True):
            for name, phases in logs.items():
                steps, values = phases.get(phase, {}).get(loss, ([], []))
                if steps:
                    axis.plot(steps, values, "-o", label=name, color=colours[name], markersize=2, linewidth=1)
            axis.set_title(f"{phase}: {loss}", fontsize=8)
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
            axis.set_visible(bool(axis.lines))
    lines = {line.get_label(): line for axis in axes.flat for line in axis.lines}
    figure.legend(lines.values(), lines.keys(), loc="lower center", ncols=5, fontsize=7)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=110)
    plt.close(figure)
    os.replace(partial, path)
    return True


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
