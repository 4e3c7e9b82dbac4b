"""Which operating points are compared at equal channel uses, and what a scheme needs for an accuracy."""

import pytest

from launch.errors import LaunchError
from launch.experiments.paired import Difference
from launch.experiments.paper.fig6 import QUICK, choose, measure
from launch.experiments.paper.matched import Need, equal_accuracy, equal_uses
from launch.experiments.paper.sheets import SheetRow, Work
from tests.unit.launch.experiments.made_rows import made_row

ROWS = [
    made_row("18", 600, 0.80),
    made_row("36", 900, 0.84),
    made_row("all", 1_500, 0.85),
    made_row("webp_ldpc:u504", 1_000, 0.70),
    made_row("answer_only", 40, 0.845),
]


def plainly(one: SheetRow, other: SheetRow) -> Difference:
    """Two points either way."""
    points = 100 * (one.accuracy - other.accuracy)
    return Difference(points, points - 2, points + 2, one.n)


def test_a_rival_meets_the_largest_point_within_its_uses_or_the_cheapest_there_is() -> None:
    webp, answer = equal_uses(ROWS, plainly)
    assert (webp.rival, webp.own, webp.fits, webp.holds) == ("webp_ldpc:u504", "m4sc, 36 tokens", True, True)
    assert webp.finding == "better"
    assert (answer.rival, answer.own, answer.fits, answer.holds) == (
        "answer_only",
        "m4sc, 18 tokens",
        False,
        False,
    )
    assert answer.finding == "worse"
    assert answer.points == pytest.approx(-4.5)


def test_without_an_interval_apart_from_zero_no_difference_is_seen() -> None:
    rival = made_row("webp_ldpc", 900, 0.83)
    (pair,) = equal_uses([*ROWS[:3], rival], plainly)
    assert (pair.own, pair.finding, pair.holds) == ("m4sc, 36 tokens", "no difference seen", True)


def test_rows_of_other_sheets_and_snrs_are_not_compared() -> None:
    elsewhere = [
        made_row("deepsc_vqa:x2", 2_000, 0.5, snr_db=0.0),
        made_row("deepsc_vqa:x2", 9, 0.5, sheet="b"),
    ]
    assert len(equal_uses([*ROWS, *elsewhere], plainly)) == 2


def test_what_was_refused_is_no_bargain() -> None:
    refused = made_row("webp_ldpc:u252", 0, 0.9, refused=10)
    assert len(equal_uses([*ROWS, refused], plainly)) == 2
    needs = {need.scheme: need for need in equal_accuracy([*ROWS, refused], ("vqa-awgn",))}
    assert needs["webp_ldpc"].uses is None
    assert {one.point for one in choose([*ROWS, refused])} == {"36", "webp_ldpc:u504", "answer_only"}


def test_what_a_scheme_needs_is_its_cheapest_point_that_reaches_nine_tenths_of_the_best() -> None:
    together = [made_row("18", 200, 0.79, sheet="together"), made_row("webp_ldpc", 90, 0.2, sheet="together")]
    other = made_row("all", 1, 0.99, sheet="another")
    needs = {
        (n.sheet, n.scheme): n for n in equal_accuracy([*ROWS, *together, other], ("vqa-awgn", "together"))
    }
    assert {round(n.threshold, 6) for n in needs.values()} == {round(0.9 * 0.85, 6)}
    own = needs["vqa-awgn", "m4sc"]
    assert (own.point, own.uses, own.sure) == ("m4sc, 18 tokens", 600, False)
    assert needs["vqa-awgn", "answer_only"].sure
    assert needs["vqa-awgn", "webp_ldpc"] == Need(
        sheet="vqa-awgn", snr_db=15.0, threshold=own.threshold, scheme="webp_ldpc"
    )
    assert needs["together", "m4sc"].uses == 200
    assert needs["together", "webp_ldpc"].uses is None


def test_figure_6_compares_the_cheapest_points_within_a_point() -> None:
    rows = [
        *ROWS,
        made_row("25", 700, 0.842),
        made_row("deepsc_vqa:x1", 400, 0.79),
        made_row("deepsc_vqa:x2", 800, 0.835),
        made_row("deepsc_vqa:x8", 3_200, 0.90),
    ]
    chosen = {one.scheme: one for one in choose(rows)}
    assert next(iter(chosen)) == "m4sc"
    assert {scheme: (one.point, one.reaches) for scheme, one in chosen.items()} == {
        "m4sc": ("25", True),
        "deepsc_vqa": ("deepsc_vqa:x2", True),
        "webp_ldpc": ("webp_ldpc:u504", False),
        "answer_only": ("answer_only", True),
    }
    assert "14.2 points below m4sc" in chosen["webp_ldpc"].why


def test_figure_6_needs_a_point_of_the_own_scheme() -> None:
    from dataclasses import replace

    work: Work = None  # type: ignore[assignment]  # nothing is begun
    with pytest.raises(LaunchError, match="--points answer_only: expected one of m4sc's too"):
        measure(replace(QUICK, points=("answer_only",)), (), work)
