"""Scoring against numbers worked out by hand, and intervals against their definition."""

from typing import Any

import numpy as np
import pytest

from launch.caption_score import caption_f1, objects_in
from launch.intervals import resampled_shares, wilson
from launch.scoring import accuracy, judge, normalise, score

CAPTION = "a small red metal cube, a large blue rubber sphere and a large gray metal cylinder."


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [("Red", "red", 1), (" yes. ", "yes", 1), ("2", "two", 0), ("", "no", 0), ("no way", "no", 0)],
)
def test_exact_match_after_normalising(answer: str, expected: str, right: int) -> None:
    assert score("vqa", answer, expected) == right


def test_normalise_keeps_inner_words() -> None:
    assert normalise("  A  Large\tCube. ") == "a large cube"


def test_captions_are_read_whatever_their_order_and_synonyms() -> None:
    other = "a big grey shiny cylinder, a tiny red metallic block and a large blue matte ball"
    assert objects_in(CAPTION) == objects_in(other)
    assert caption_f1(other, CAPTION) == 1.0


def test_caption_f1_by_hand() -> None:
    # 2 of 3 right, 4 named: 2 * 2 / (4 + 3)
    answer = "a small red metal cube, a large blue rubber sphere, a large blue rubber sphere and a small cube"
    assert caption_f1(answer, CAPTION) == pytest.approx(4 / 7)
    assert caption_f1("", CAPTION) == 0.0
    assert objects_in("two large red metal cubes")["large", "red", "metal", "cube"] == 1


def test_wilson_against_the_closed_form() -> None:
    # Wilson 1927, 8 of 10 at 95%: 0.4902 to 0.9433 (Newcombe 1998, table I method 3)
    low, high = wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 5)[1] == 1.0


def test_the_bootstrap_draws_images_not_questions() -> None:
    # All questions on an image agree: the spread is that of 25 images, not of 250 questions.
    values = [float(image % 2) for image in range(25) for _ in range(10)]
    clusters = [f"image {image}" for image in range(25) for _ in range(10)]
    samples = resampled_shares(values, clusters, [""] * 250, seed=3)
    assert samples is not None
    p = 12 / 25
    assert float(np.std(samples)) == pytest.approx(np.sqrt(p * (1 - p) / 25), rel=0.06)
    again = resampled_shares(values, clusters, [""] * 250, seed=3)
    assert again is not None
    assert np.array_equal(samples, again)


def entry(index: int, kind: str, image: str = "i", expected: str | None = "x") -> dict[str, Any]:
    return {
        "index": index,
        "task": "vqa",
        "kind": kind,
        "family": "zero_hop",
        "image": image,
        "expected": expected,
    }


def test_macro_control_and_gain_by_hand() -> None:
    kinds = ["exist", "exist", "count", "query_size", "query_color", "query_color"]
    answers = ["x", "y", "x", "x", "x", "y"]
    controls = ["x", "y", "y", "y", "y", "y"]
    workload = [entry(i, kind, image=f"{i}") for i, kind in enumerate(kinds)]
    ends = {i: {"text": a, "control_text": c} for i, (a, c) in enumerate(zip(answers, controls, strict=True))}
    found = accuracy(judge(workload, ends), seed=1)["vqa"]
    assert (found["correct"], found["total"]) == (4, 6)
    assert found["macro"]["accuracy"] == pytest.approx((1 / 2 + 1 + 2 / 3) / 3, abs=1e-4)
    assert found["control"]["macro"]["accuracy"] == pytest.approx((1 / 2) / 3, abs=1e-4)
    assert found["gain"]["points"] == pytest.approx(100 * (0 + 1 + 2 / 3) / 3, abs=0.01)
    assert list(found["by_kind"])[:3] == ["exist", "count", "query"]
    assert (found["by_kind"]["query"]["correct"], found["by_kind"]["query"]["total"]) == (2, 3)
    assert found["interval_by"] == "Wilson"


def test_with_several_families_macro_is_of_zero_hop_and_families_weigh_alike() -> None:
    workload = [
        entry(0, "exist"), entry(1, "count"), entry(2, "query_size"),
        *({**entry(i, "exist", image=f"{i}"), "family": "one_hop"} for i in range(3, 13)),
    ]  # fmt: skip
    ends = {i: {"text": "x" if i != 1 and i < 8 else "y"} for i in range(13)}
    found = accuracy(judge(workload, ends), seed=1)["vqa"]
    assert found["macro"]["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["by_family"]["one_hop"]["accuracy"] == pytest.approx(0.5)
    assert found["families"]["accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-4)


def test_a_request_that_failed_is_wrong_and_one_without_an_end_does_not_count() -> None:
    workload = [entry(0, "count"), entry(1, "count"), entry(2, "count"), entry(3, "count", expected=None)]
    ends = {0: {"text": "x"}, 1: {"reason": "user_left"}, 3: {"text": "x"}}
    found = accuracy(judge(workload, ends), seed=1)["vqa"]
    assert (found["correct"], found["total"]) == (1, 2)
    assert "control" not in found
    assert "macro" not in found


def test_intervals_are_the_same_on_every_reading() -> None:
    workload = [entry(i, "count", image=f"{i // 3}") for i in range(60)]
    ends = {i: {"text": "x" if i % 4 else "y"} for i in range(60)}
    judged = judge(workload, ends)
    assert accuracy(judged, 5) == accuracy(judged, 5)
    found = accuracy(judged, 5)["vqa"]
    assert found["interval_by"] == "bootstrap over images"
    assert found["interval95"][0] < found["accuracy"] < found["interval95"][1]
