"""What two runs on the same questions differ by: paired, with intervals and bounds resampled by image."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from launch.errors import LaunchError
from launch.intervals import Floats, percentile_interval, resampled_shares
from launch.run_files import read_run
from launch.scoring import Scored, judged_questions
from launch.summary import ends_by_index

REVIEW: Final = "text_classification"


@dataclass(frozen=True, slots=True)
class Difference:
    """In points of per cent. Without an interval where there are too few images, or nothing differs."""

    points: float
    low: float | None
    high: float | None
    n: int

    @property
    def is_worse(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high is not None and self.high < 0


@dataclass(frozen=True, slots=True)
class FamilyLoss:
    """Of one family of questions, in points of per cent; `bound`: at most so many, one-sided 95%."""

    family: str
    points: float
    bound: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Losses:
    """What one run loses against another. `samples_RF`: losses in shares, by resample and family."""

    families: tuple[FamilyLoss, ...]
    samples_RF: Floats | None

    def bound(self, of: Collection[str]) -> float | None:
        """One-sided 95% of the mean loss over families, in points; None with too few images, or no family."""
        columns = [place for place, loss in enumerate(self.families) if loss.family in of]
        if self.samples_RF is None or not columns:
            return None
        return _loss_bound(self.samples_RF[:, columns].mean(axis=1))


def paired_difference(one: Path, other: Path, seed: int) -> Difference:
    """The score in run folder `one` minus that in `other`: for questions the mean over their families.

    Raises `LaunchError` when they did not ask the same.
    """
    return difference(pairs_of(one, other), seed)


def paired_losses(one: Path, other: Path, seed: int) -> Losses:
    """What run folder `one` loses against `other`, family by family. Raises as `paired_difference`."""
    return losses(pairs_of(one, other), seed)


def losses(pairs: list[tuple[Scored, Scored]], seed: int) -> Losses:
    """Families in alphabetical order; families and images are the first run's."""
    lost = [other.score - one.score for one, other in pairs]
    families = [one.family for one, _ in pairs]
    samples_RF = resampled_shares(lost, [one.cluster for one, _ in pairs], families, seed)
    found = []
    for place, family in enumerate(sorted(set(families))):
        own = [value for value, name in zip(lost, families, strict=True) if name == family]
        bound = None if samples_RF is None else _loss_bound(samples_RF[:, place])
        found.append(FamilyLoss(family, round(100 * float(np.mean(own)), 2), bound, len(own)))
    return Losses(tuple(found), samples_RF)


def difference(pairs: list[tuple[Scored, Scored]], seed: int) -> Difference:
    """Mean over families of the mean differences; families and images are the first run's."""
    values = [one.score - other.score for one, other in pairs]
    families = [one.family for one, _ in pairs]
    groups = sorted(set(families))
    means = [np.mean([v for v, f in zip(values, families, strict=True) if f == group]) for group in groups]
    samples = resampled_shares(values, [one.cluster for one, _ in pairs], families, seed)
    interval = None if samples is None else percentile_interval(samples.mean(axis=1))
    low, high = (None, None) if interval is None else (round(100 * b, 2) for b in interval)
    return Difference(round(100 * float(np.mean(means)), 2), low, high, len(values))


def _loss_bound(losses_R: Floats) -> float | None:
    finite = losses_R[np.isfinite(losses_R)]
    return None if finite.size == 0 else round(100 * float(np.percentile(finite, 95)), 2)


def pairs_of(one: Path, other: Path) -> list[tuple[Scored, Scored]]:
    """Judged questions of both run folders, in one order.

    Raises `LaunchError` when they did not ask the same.
    """
    mine, theirs = scores_of(one), scores_of(other)
    if mine.keys() != theirs.keys():
        raise LaunchError(f"{one} and {other}: not the same questions, cannot be compared")
    return [(mine[key], theirs[key]) for key in sorted(mine)]


def scores_of(run_dir: Path) -> dict[tuple[int, str, str], Scored]:
    """Judged questions by their request's index, text and image; a review, which schemes cut as they need, by
    its name."""
    files = read_run(run_dir)
    found = {}
    for entry, scored in judged_questions(files.workload, ends_by_index(files.events)):
        asked = entry["text"] if scored.task != REVIEW else entry["sample_id"]
        found[int(entry["index"]), str(asked), str(entry["image"])] = scored
    return found
