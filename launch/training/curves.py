"""The curves of a training run, drawn from its log: loss and share of right answers, phase by phase."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from launch.training.record import LOG_FILE

Series = dict[str, tuple[list[int], list[float]]]
ORDER = ("vision", "language", "align", "tune", "joint")


def read_log(out: Path) -> dict[str, Series]:
    """phase -> figure -> (steps, values). A line that a kill cut off is left out."""
    found: dict[str, Series] = defaultdict(dict)
    for text in (out / LOG_FILE).read_text(encoding="utf-8").splitlines():
        try:
            line: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError:
            continue
        for name, value in line.items():
            if "/" in name:
                steps, values = found[line["phase"]].setdefault(name, ([], []))
                steps.append(line["step"])
                values.append(value)
    return found


def draw_curves(out: Path, path: Path) -> None:
    """Two rows of plots, one column a phase: losses above, shares below; dashed: data kept for choosing."""
    found = read_log(out)
    phases = {name: found[name] for name in dict.fromkeys((*ORDER, *found)) if name in found}
    figure, axes = plt.subplots(2, len(phases), figsize=(3.6 * len(phases), 8.0), squeeze=False)
    for column, (phase, series) in enumerate(phases.items()):
        above, below = axes[0][column], axes[1][column]
        for name, (steps, values) in series.items():
            place = above if name.endswith(("loss", "hint")) else below
            place.plot(steps, values, "--o" if name.startswith("dev/") else "-", label=name, markersize=3)
        above.set(title=phase, yscale="log", ylabel="loss" if column == 0 else "")
        below.set(xlabel="step", ylim=(0, 1.02), ylabel="share" if column == 0 else "")
        for place, under in ((above, -0.08), (below, -0.16)):
            place.grid(alpha=0.3)
            if place.lines:
                place.legend(fontsize=6, ncols=2, loc="upper center", bbox_to_anchor=(0.5, under))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
