"""`m4sc experiment fig6`: transmitted data against the number of users, with overlap as the parameter.

First every scheme's accuracy at its operating points; then what the ones that match cost. `m4sc` is at its
cheapest point within a point of its own best, every rival at its cheapest within a point of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from launch.errors import LaunchError
from launch.experiments.paper.sheets import Sheet, SheetRow, Work, measure_sheets, with_weights
from launch.measurement.grid import grid
from launch.measurement.points import OWN_SCHEME, Point
from launch.measurement.rows import write_table

NAME: Final = "fig6"
ACCURACY, DATA = "accuracy", "data"
"""Sheets, by folder."""
MARGIN: Final = 0.01
ACCURACY_USERS: Final = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured. `alone_overlaps`: at which every scheme is measured without sharing too."""

    users: tuple[int, ...]
    overlaps: tuple[float, ...]
    alone_overlaps: tuple[float, ...]
    snr_db: float
    points: tuple[str, ...]
    accuracy_requests: int
    requests: int


FULL: Final = Choice(
    users=(1, 2, 4, 8, 12, 16, 20),
    overlaps=(0.0, 0.5, 1.0),
    alone_overlaps=(0.0, 0.5, 1.0),
    snr_db=15.0,
    points=(
        *("all", "36", "18", "12"),
        *("webp_ldpc:q50", "webp_ldpc:q20", "webp_ldpc:u504", "caption_ldpc", "answer_only"),
        *("deepsc_vqa:x1", "deepsc_vqa:x2", "deepsc_vqa:x4", "deepsc_vqa:x6", "deepsc_vqa:x8"),
    ),
    accuracy_requests=600,
    requests=240,
)
QUICK: Final = Choice(
    users=(1, 5, 20),
    overlaps=(0.0, 1.0),
    alone_overlaps=(1.0,),
    snr_db=15.0,
    points=("18", "webp_ldpc:q20", "caption_ldpc", "answer_only", "deepsc_vqa:x1", "deepsc_vqa:x2"),
    accuracy_requests=100,
    requests=20,
)


class Chosen(BaseModel):
    """A scheme's operating point. `reaches`: within a point of the reference, which `why` says in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scheme: str
    point: str
    curve: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    uses_per_request: float
    reaches: bool
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    accuracy: list[SheetRow]
    chosen: list[Chosen]
    rows: list[SheetRow]


def accuracy_sheet(choice: Choice, overrides: Sequence[str], work: Work) -> Sheet:
    points = with_weights([Point.parse(text) for text in choice.points], work.weights)
    sets = (*overrides, f"workload.requests={choice.accuracy_requests}")
    places = grid([ACCURACY_USERS], [0.0], [choice.snr_db], points, [True])
    about = "Every operating point; four users, each with pictures of its own"
    return Sheet(ACCURACY, about, "awgn", "measure", sets, tuple(places))


def data_sheet(choice: Choice, overrides: Sequence[str], chosen: Sequence[Chosen]) -> Sheet:
    """With sharing everywhere, without where that is asked for and two users may share."""
    points = [Point.parse(one.point) for one in chosen]
    places = grid(choice.users, choice.overlaps, [choice.snr_db], points, [True])
    several = [count for count in choice.users if count > 1]
    places += grid(several, choice.alone_overlaps, [choice.snr_db], points, [False])
    sets = (*overrides, f"workload.requests={choice.requests}")
    about = "The chosen points, against users, overlap and sharing"
    return Sheet(DATA, about, "awgn", "measure", sets, tuple(places))


def choose(rows: Sequence[SheetRow]) -> list[Chosen]:
    """One point for every scheme, that of `m4sc` first; rows are of one sheet and SNR."""
    rows = [row for row in rows if row.is_served]
    own = [row for row in rows if row.scheme == OWN_SCHEME]
    best = max(row.accuracy for row in own)
    reference = _cheapest(own, best - MARGIN)
    assert reference is not None
    found = [_chosen(reference, True, f"cheapest within a point of its best, {100 * best:.1f}%")]
    for scheme in dict.fromkeys(row.scheme for row in rows if row.scheme != OWN_SCHEME):
        mine = [row for row in rows if row.scheme == scheme]
        row = _cheapest(mine, reference.accuracy - MARGIN)
        if row is not None:
            found.append(_chosen(row, True, "cheapest within a point of m4sc"))
        else:
            row = max(mine, key=lambda one: one.accuracy)
            short = 100 * (reference.accuracy - row.accuracy)
            found.append(_chosen(row, False, f"its most accurate: {short:.1f} points below m4sc"))
    return found


def _cheapest(rows: Sequence[SheetRow], least: float) -> SheetRow | None:
    reach = [row for row in rows if row.accuracy >= least]
    return min(reach, key=lambda row: row.uses_per_request, default=None)


def _chosen(row: SheetRow, reaches: bool, why: str) -> Chosen:
    names = ("scheme", "point", "curve", "accuracy", "accuracy_low", "accuracy_high", "n", "uses_per_request")
    return Chosen(**{name: getattr(row, name) for name in names}, reaches=reaches, why=why)


def measure(choice: Choice, overrides: Sequence[str], work: Work) -> Result:
    """Both sheets; written as CSV and Parquet. Raises as `measure_sheets` and what a run raises."""
    if not any(Point.parse(text).scheme == OWN_SCHEME for text in choice.points):
        raise LaunchError(f"--points {','.join(choice.points)}: expected one of m4sc's too, to choose by")
    accuracy = measure_sheets([accuracy_sheet(choice, overrides, work)], work)
    chosen = choose(accuracy)
    for one in chosen:
        work.say(f"{one.curve}: {100 * one.accuracy:.1f}% of {one.n}, {one.why}")
    rows = measure_sheets([data_sheet(choice, overrides, chosen)], work)
    write_table(work.out / f"{NAME}.csv", [row.model_dump() for row in (*accuracy, *rows)])
    write_table(work.out / f"{NAME}_points.csv", [one.model_dump() for one in chosen])
    return Result(accuracy, chosen, rows)


def round_uses(row: SheetRow) -> float:
    """Channel uses of the downlink when every user has asked once."""
    return row.uses_per_request * row.users


def round_bytes(row: SheetRow) -> float:
    """Bytes on the wire, both ways, when every user has asked once."""
    return row.wire_bytes_per_request * row.users
