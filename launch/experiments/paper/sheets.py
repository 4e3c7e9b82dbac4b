"""What a figure of the paper is drawn from: sheets, each a sweep as `m4sc measure` makes it, in a folder.

All rows of a sheet have the same questions and the same noise seeds, so that they are compared in pairs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launch.bundles.rerun import DataSets, RunSummary, is_done, is_measured
from launch.measurement import sweep
from launch.measurement.grid import Place
from launch.measurement.order import ROWS_FOLDER, Order, claim_folder
from launch.measurement.points import OWN_SCHEME, Point
from launch.measurement.rows import Row
from shared.config import RunConfig
from shared.schemes import scheme_of
from shared.semantic.manifest import read_manifest

START_S: Final = 8.0
REQUEST_S: Final = 0.06
USER_S: Final = 0.4
"""Of a run on two idle cores: to start and stop it, for each request, and for each user."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`name` is its folder's; `about` says in words what its rows have in common."""

    name: str
    about: str
    channel: str
    config: str
    overrides: tuple[str, ...]
    places: tuple[Place, ...]


class SheetRow(Row):
    """A row and where it stands."""

    sheet: str
    channel: str

    @property
    def is_served(self) -> bool:
        """Whether all requests were taken: a picture that does not fit its budget is refused."""
        return not self.refused

    @property
    def curve(self) -> str:
        """What legends and tables call its operating point; a review has no image, and so no size."""
        if self.metric.endswith("text_classification"):
            return self.scheme
        return self.point if self.scheme != OWN_SCHEME else f"{OWN_SCHEME}, {_words(self.point)}"


def _words(size: str) -> str:
    image, _, of_text = size.partition("t")
    tokens, _, of_image = image.partition("x")
    parts = [
        "all tokens" if tokens == "all" else f"{tokens} tokens",
        f"{of_image}/8 of each" if of_image else "",
        f"{of_text}/8 of each word" if of_text else "",
    ]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Work:
    """Where a figure's runs lie and what they are made with; `run` makes one."""

    out: Path
    sets: DataSets
    weights: Mapping[str, Path]
    say: Callable[[str], None]
    run: RunSummary
    clock: Callable[[], float]

    def rows_of(self, sheet: str) -> Path:
        """The folder with the run folders of a sheet's rows."""
        return self.out / sheet / ROWS_FOLDER


def with_weights(points: Sequence[Point], weights: Mapping[str, Path]) -> tuple[Point, ...]:
    """Those whose scheme has weights."""
    return tuple(p for p in points if p.scheme in weights or not scheme_of(p.scheme).own_weights)


def measure_sheets(sheets: Sequence[Sheet], work: Work) -> list[SheetRow]:
    """All rows; every sheet is checked before the first run. What is finished is not run again.

    Raises `LaunchError`, `ConfigError` or `BundleError`, one line, and what a run raises.
    """
    orders = [_order_of(sheet, work) for sheet in sheets]
    for order in orders:
        claim_folder(order)
    progress = _Progress(work, orders)
    rows: list[SheetRow] = []
    for sheet, order in zip(sheets, orders, strict=True):
        found = sweep.measure(order, progress.row_of(sheet.name), progress.run)
        rows += [SheetRow(sheet=sheet.name, channel=sheet.channel, **row.model_dump()) for row in found]
    return rows


def _order_of(sheet: Sheet, work: Work) -> Order[Place]:
    used = {place.point.scheme for place in sheet.places}
    weights = {scheme: path for scheme, path in work.weights.items() if scheme in used}
    out = work.out / sheet.name
    return sweep.planned(sheet.config, sheet.overrides, sheet.places, work.sets, out, weights)


class _Progress:
    """Says which row of all it is, and about how long the rest takes, by what its runs took so far."""

    def __init__(self, work: Work, orders: Sequence[Order[Place]]) -> None:
        self._work = work
        runs = [
            (order.config_of(place), order.folder_of(place)) for order in orders for place in order.places
        ]
        self._expected_s = [_expected_s(config) for config, folder in runs if not _is_kept(config, folder)]
        self._rows, self._row, self._done, self._spent_s = len(runs), 0, 0, 0.0
        work.say(
            f"{len(runs)} runs, {len(runs) - len(self._expected_s)} of them there already; "
            f"about {_minutes(sum(self._expected_s))} on two idle cores"
        )

    def row_of(self, sheet: str) -> Callable[[str], None]:
        def say(line: str) -> None:
            self._row += 1
            name = line.partition("] ")[2]
            self._work.say(f"[{self._row}/{self._rows}] {sheet}: {name}{self._left()}")

        return say

    def run(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        began_s = self._work.clock()
        summary = self._work.run(config, folder)
        self._spent_s += self._work.clock() - began_s
        self._done += 1
        return summary

    def _left(self) -> str:
        rest_s = sum(self._expected_s[self._done :])
        if not rest_s:
            return ""
        expected_s = sum(self._expected_s[: self._done])
        pace = self._spent_s / expected_s if expected_s else 1.0
        return f", about {_minutes(rest_s * pace)} left"


def _is_kept(config: RunConfig, folder: Path) -> bool:
    return is_done(folder, config, read_manifest(Path(config.bundle)).fingerprint, is_measured)


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"


def _expected_s(config: RunConfig) -> float:
    return START_S + REQUEST_S * config.workload.requests + USER_S * config.users
