"""What a trained bundle is measured on for its card: runs through the processes, and the figures they give.

Every figure is of data that was used neither for training nor for choosing. A run that is in the folder of
runs already, of the same weights and the same configuration, is not done again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launch.bundles.card import CardEntry, entry_from
from launch.bundles.rerun import DataSets, NoData, RunSummary, kept_or_run, run_config, run_summary
from launch.cluster_check import checked
from launch.datasets.clevr_style.questions import FAMILIES
from launch.errors import LaunchError
from shared.config import RunConfig
from shared.semantic.bundle import Bundle

SNRS_DB: Final = (-5, 0, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of a shipped configuration, and what the card takes from it: (name, metric)."""

    config: str
    overrides: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """A name for the run's folder."""
        return "-".join(
            [self.config, *(o.replace("workload.", "").replace("=", "-") for o in self.overrides)]
        )


def _by_family(of: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{of}: {name}", f"accuracy.vqa.by_family.{name}") for name in FAMILIES)


def _shorter(what: str, *overrides: str) -> Measurement:
    """The mean over the families of the first 1,000 questions, under another condition."""
    few = ("workload.requests=1000", "control=none")
    return Measurement("nine_families", (*few, *overrides), ((what, "accuracy.vqa.families"),))


MEASUREMENTS: Final = (
    Measurement(
        "nine_families",
        (),
        (
            ("rendered scenes, mean over nine families", "accuracy.vqa.families"),
            *_by_family("rendered scenes"),
            ("every image token erased, mean over nine families", "accuracy.vqa.control.families"),
        ),
    ),
    Measurement(
        "nine_families",
        ("control=another_image",),
        (("another scene's picture, mean over nine families", "accuracy.vqa.families"),),
    ),
    Measurement(
        "clevr_folder",
        ("workload.questions=file", "workload.questions_per_image=10", "workload.requests=700"),
        (
            ("real CLEVR images, generated questions, mean over families", "accuracy.vqa.families"),
            *_by_family("real CLEVR images"),
            ("real CLEVR images, every image token erased", "accuracy.vqa.control.families"),
        ),
    ),
    Measurement(
        "clevr_folder",
        ("workload.families=[zero_hop]", "workload.questions_per_image=15", "workload.requests=1050"),
        (("real CLEVR images, zero-hop questions of this project", "accuracy.vqa"),),
    ),
    Measurement("imdb_file", ("workload.requests=4900",), (("reviews", "accuracy.text_classification"),)),
    Measurement(
        "nine_families",
        ("workload.tasks=[caption]", "workload.requests=300", "control=none"),
        (("captions, F1 of objects", "accuracy.caption"),),
    ),
    _shorter("1,000 questions at 15 dB"),
    _shorter("questions asked at the UE", "question_at=ue"),
    _shorter("Rayleigh block fading, 15 dB on average", "channel.model=rayleigh"),
    _shorter("answered at once, without a trace", "reasoning=false"),
    *(_shorter(f"AWGN {snr_db} dB", f"channel.snr_db={snr_db}") for snr_db in SNRS_DB),
)


def measure(
    folder: Path,
    sets: DataSets,
    keep: Path,
    say: Callable[[str], None],
    measurements: Sequence[Measurement] = MEASUREMENTS,
    run: RunSummary = run_summary,
) -> list[CardEntry]:
    """Run what has not been run, in folders of `keep`; returns the card's entries.

    Raises:
        LaunchError: data for one of them is not on this machine (nothing has been run then), or a run failed
            or was stopped; what was finished stays.
    """
    fingerprint = Bundle.load(folder).fingerprint
    configs = [_found(folder, wanted, sets) for wanted in measurements]
    entries: list[CardEntry] = []
    for number, (wanted, config) in enumerate(zip(measurements, configs, strict=True), 1):
        place = keep / wanted.label
        say(f"{number} of {len(measurements)}: {wanted.label}")
        summary = kept_or_run(config, place, fingerprint, run)
        entries += _entries(wanted, summary)
        for entry in entries[-len(wanted.figures) :]:
            say(f"    {entry.name}: {entry.value:.4f} [{entry.low:.4f}, {entry.high:.4f}], n {entry.n}")
    return entries


def _found(folder: Path, wanted: Measurement, sets: DataSets) -> RunConfig:
    try:
        return checked(run_config(folder, wanted.config, wanted.overrides, sets))
    except NoData as error:
        raise LaunchError(f"{wanted.label}: needs {error}") from None


def _entries(wanted: Measurement, summary: dict[str, Any]) -> Iterable[CardEntry]:
    return [
        entry_from(summary, name, wanted.config, metric, wanted.overrides) for name, metric in wanted.figures
    ]
