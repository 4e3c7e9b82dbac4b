"""Schemes at matched bandwidth: accuracy at equal channel uses, and channel uses at equal accuracy."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from launch.experiments.paired import Difference
from launch.experiments.paper.sheets import SheetRow
from launch.measurement.points import OWN_SCHEME

SHARE: Final = 0.9
"""Of the best accuracy that a sheet has, what has to be reached."""
Compare = Callable[[SheetRow, SheetRow], Difference]


class Pair(BaseModel):
    """A rival's operating point and that of m4sc which uses most within as many channel uses.

    `fits`: whether there is one; where there is none, it is m4sc's cheapest. `points`: m4sc's accuracy minus
    the rival's in points, paired. `holds`: m4sc is at least as accurate at equal or fewer channel uses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    sheet: str
    snr_db: float
    rival: str
    rival_uses: float
    rival_accuracy: float
    own: str
    own_uses: float
    own_accuracy: float
    points: float
    points_low: float | None
    points_high: float | None
    n: int
    fits: bool
    holds: bool
    finding: str


class Need(BaseModel):
    """The fewest channel uses a request at which a scheme reaches `threshold`; none where it does not.

    `sure`: the whole interval of its accuracy does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    sheet: str
    snr_db: float
    threshold: float
    scheme: str
    point: str | None = None
    uses: float | None = None
    accuracy: float | None = None
    sure: bool = False


def equal_uses(rows: Sequence[SheetRow], compare: Compare) -> list[Pair]:
    """For every rival's row the pair, by sheet and SNR; `compare` gives the first minus the second.

    A row of which requests were refused is in neither table: its channel uses are not those of its answers.
    """
    found: list[Pair] = []
    served = [row for row in rows if row.is_served]
    for sheet, snr_db in dict.fromkeys((row.sheet, row.snr_db) for row in served):
        here = [row for row in served if (row.sheet, row.snr_db) == (sheet, snr_db)]
        own = [row for row in here if row.scheme == OWN_SCHEME]
        if own:
            found += [_pair(row, own, compare) for row in here if row.scheme != OWN_SCHEME]
    return found


def _pair(rival: SheetRow, own: Sequence[SheetRow], compare: Compare) -> Pair:
    within = [row for row in own if row.uses_per_request <= rival.uses_per_request]
    if within:
        mine = max(within, key=lambda row: row.uses_per_request)
    else:
        mine = min(own, key=lambda row: row.uses_per_request)
    difference = compare(mine, rival)
    return Pair(
        sheet=rival.sheet,
        snr_db=rival.snr_db,
        rival=rival.curve,
        rival_uses=rival.uses_per_request,
        rival_accuracy=rival.accuracy,
        own=mine.curve,
        own_uses=mine.uses_per_request,
        own_accuracy=mine.accuracy,
        points=difference.points,
        points_low=difference.low,
        points_high=difference.high,
        n=difference.n,
        fits=bool(within),
        holds=bool(within) and difference.points >= 0,
        finding=finding(difference),
    )


def finding(difference: Difference) -> str:
    """By its interval."""
    if difference.low is not None and difference.low > 0:
        return "better"
    if difference.is_worse:
        return "worse"
    return "no difference seen"


def equal_accuracy(rows: Sequence[SheetRow], sheets: Iterable[str]) -> list[Need]:
    """For each scheme of some sheets that ask the same, at each SNR; one threshold for all."""
    names = list(sheets)
    kept = [row for row in rows if row.sheet in names]
    if not kept:
        return []
    threshold = SHARE * max(row.accuracy for row in kept)
    places = dict.fromkeys((row.sheet, row.scheme, row.snr_db) for row in kept)
    return [_need([r for r in kept if (r.sheet, r.scheme, r.snr_db) == place], threshold) for place in places]


def _need(rows: Sequence[SheetRow], threshold: float) -> Need:
    """Of one scheme at one SNR."""
    first = rows[0]
    reach = [row for row in rows if row.is_served and row.accuracy >= threshold]
    head = Need(sheet=first.sheet, snr_db=first.snr_db, threshold=threshold, scheme=first.scheme)
    if not reach:
        return head
    best = min(reach, key=lambda row: row.uses_per_request)
    return head.model_copy(
        update={
            "point": best.curve,
            "uses": best.uses_per_request,
            "accuracy": best.accuracy,
            "sure": best.accuracy_low >= threshold,
        }
    )
