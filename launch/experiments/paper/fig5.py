"""`m4sc experiment fig5`: accuracy against SNR of every scheme, on AWGN and on Rayleigh block fading.

Questions about pictures and reviews; the same pictures once for each user and once for all users together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from launch.experiments.paired import Difference, paired_difference
from launch.experiments.paper.matched import Need, Pair, equal_accuracy, equal_uses
from launch.experiments.paper.sheets import Sheet, SheetRow, Work, measure_sheets, with_weights
from launch.measurement.grid import grid
from launch.measurement.points import Point
from launch.measurement.rows import write_table

NAME: Final = "fig5"
USERS: Final = 4
VQA, REVIEWS, TOGETHER, FADING, REVIEWS_FADING = (
    "vqa-awgn",
    "reviews-awgn",
    "vqa-awgn-together",
    "vqa-rayleigh",
    "reviews-rayleigh",
)
"""Sheets, by folder."""
REVIEW_POINTS: Final = ("m4sc", "webp_ldpc", "answer_only", "deepsc")
"""Of reviews, which have no images and so no sizes; `caption_ldpc` sends the same bytes as `webp_ldpc`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured. `fading_db`: SNRs on Rayleigh; `together_db`: with one picture for all, on AWGN."""

    snrs_db: tuple[float, ...]
    fading_db: tuple[float, ...]
    together_db: tuple[float, ...]
    points: tuple[str, ...]
    requests: int
    questions_per_image: int


FULL: Final = Choice(
    snrs_db=(-10, -5, 0, 5, 10, 15, 20),
    fading_db=(-10, -5, 0, 5, 10, 15, 20),
    together_db=(0, 5, 10, 15, 20),
    points=(
        *("all", "36", "18", "12"),
        *("webp_ldpc:q50", "webp_ldpc:q20", "webp_ldpc:u504", "caption_ldpc", "answer_only"),
        *("deepsc_vqa:x1", "deepsc_vqa:x2", "deepsc_vqa:x4", "deepsc_vqa:x6", "deepsc_vqa:x8"),
    ),
    requests=600,
    questions_per_image=10,
)
QUICK: Final = Choice(
    snrs_db=(0, 10, 20),
    fading_db=(10,),
    together_db=(10,),
    points=("all", "18", "webp_ldpc:q20", "caption_ldpc", "answer_only", "deepsc_vqa:x2"),
    requests=48,
    questions_per_image=4,
)


@dataclass(frozen=True, slots=True)
class Result:
    rows: list[SheetRow]
    pairs: list[Pair]
    needs: list[Need]


def sheets(choice: Choice, overrides: Sequence[str], work: Work, with_reviews: bool) -> list[Sheet]:
    """Those that have rows. On Rayleigh one gain holds for a request and its first attempts."""
    points = with_weights([Point.parse(text) for text in choice.points], work.weights)
    reviews = with_weights([Point.parse(text) for text in REVIEW_POINTS], work.weights)
    both = (*overrides, f"workload.requests={choice.requests}")
    vqa = (*both, f"workload.questions_per_image={choice.questions_per_image}")
    fading = ("channel.model=rayleigh",)
    alone = "four users, each with pictures of its own"
    found = [
        Sheet(VQA, f"Questions, AWGN; {alone}", "awgn", "measure", vqa, _grid(choice.snrs_db, points)),
        Sheet(
            FADING,
            f"Questions, Rayleigh block fading; {alone}",
            "rayleigh",
            "measure",
            (*vqa, *fading),
            _grid(choice.fading_db, points),
        ),
        Sheet(
            TOGETHER,
            "Questions, AWGN; four users, all of them about one picture at a time",
            "awgn",
            "measure",
            vqa,
            _grid(choice.together_db, points, 1.0),
        ),
    ]
    if with_reviews:
        found += [
            Sheet(REVIEWS, "Reviews, AWGN", "awgn", "imdb_file", both, _grid(choice.snrs_db, reviews)),
            Sheet(
                REVIEWS_FADING,
                "Reviews, Rayleigh block fading",
                "rayleigh",
                "imdb_file",
                (*both, *fading),
                _grid(choice.fading_db, reviews),
            ),
        ]
    return [sheet for sheet in found if sheet.places]


def _grid(snrs_db: Sequence[float], points: Sequence[Point], overlap: float = 0.0) -> tuple[Any, ...]:
    return tuple(grid([USERS], [overlap], snrs_db, points, [True]))


def measure(wanted: Sequence[Sheet], work: Work) -> Result:
    """All rows, and the tables at matched bandwidth; written as CSV and Parquet. Raises what a run raises."""
    rows = measure_sheets(wanted, work)

    def compare(one: SheetRow, other: SheetRow) -> Difference:
        folder = work.rows_of(one.sheet)
        return paired_difference(folder / one.row, folder / other.row, one.seed)

    pairs = equal_uses(rows, compare)
    needs = [
        *equal_accuracy(rows, (VQA, TOGETHER)),
        *equal_accuracy(rows, (FADING,)),
        *equal_accuracy(rows, (REVIEWS,)),
        *equal_accuracy(rows, (REVIEWS_FADING,)),
    ]
    for name, lines in (("", rows), ("_equal_uses", pairs), ("_equal_accuracy", needs)):
        if lines:
            write_table(work.out / f"{NAME}{name}.csv", [line.model_dump() for line in lines])
    return Result(rows, pairs, needs)
