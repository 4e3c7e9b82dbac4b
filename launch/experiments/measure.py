"""One figure of an ablation: a shipped configuration on a variant's bundle, run through the processes."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.bundles.rerun import DataSets, NoData, RunSummary, kept_or_run, run_config
from launch.cluster_check import checked
from launch.errors import LaunchError
from launch.figures import Figure, figure_of
from shared.config import RunConfig
from shared.semantic.manifest import read_manifest


@dataclass(frozen=True, slots=True)
class Condition:
    """A shipped configuration with overrides, and where its accuracy stands in `summary.json`."""

    name: str
    config: str
    overrides: tuple[str, ...]
    metric: str

    def but(self, name: str, *overrides: str) -> "Condition":
        """The same with more overrides."""
        return Condition(name, self.config, (*self.overrides, *overrides), self.metric)


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run."""

    folder: Path
    summary: dict[str, Any]
    figure: Figure
    command: str


def conditions(questions: int) -> dict[str, Condition]:
    """By task, at the configurations' own 15 dB; a caption takes a picture of its own, so they are fewer."""
    captions = max(1, questions // 4)
    vqa = Condition("vqa", "nine_families", (f"workload.requests={questions}", "control=none"), "")
    return {
        "vqa": Condition(vqa.name, vqa.config, vqa.overrides, "accuracy.vqa.families"),
        "caption": Condition(
            "caption",
            vqa.config,
            (f"workload.requests={captions}", "control=none", "workload.tasks=[caption]"),
            "accuracy.caption",
        ),
        "text_classification": Condition(
            "text_classification",
            "imdb_file",
            (f"workload.requests={questions}",),
            "accuracy.text_classification",
        ),
    }


def find_data(bundle: Path, condition: Condition, sets: DataSets) -> RunConfig:
    """The run's configuration. Raises `LaunchError` where its data is not on this machine, `ConfigError`."""
    try:
        return run_config(bundle, condition.config, condition.overrides, sets)
    except NoData as error:
        raise LaunchError(f"{condition.name}: the run needs {error}") from None


def measure(bundle: Path, condition: Condition, folder: Path, sets: DataSets, run: RunSummary) -> Measured:
    """The run in `folder` if that is this run of these weights, finished and valid; else a new one.

    Raises `LaunchError` (also when the verdict is not valid), `ConfigError` and `Interrupted`.
    """
    config = checked(find_data(bundle, condition, sets))
    summary = kept_or_run(config, folder, read_manifest(bundle).fingerprint, run)
    return Measured(
        folder,
        summary,
        figure_of(summary, condition.metric),
        command(bundle, condition, config.workload.root),
    )


def command(bundle: Path, condition: Condition, root: str | None) -> str:
    """What a person types to have the same run."""
    overrides = [
        *condition.overrides,
        f"bundle={bundle}",
        *([] if root is None else [f"workload.root={root}"]),
    ]
    return shlex.join(["m4sc", "run", condition.config, *_sets(overrides)])


def _sets(overrides: Sequence[str]) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]
