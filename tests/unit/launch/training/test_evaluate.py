"""Summaries, intervals, captions as sets of objects, and the model card."""

import json
from pathlib import Path

import numpy as np
import pytest

from launch.training.card import card
from launch.training.evaluate import Outcome, interval, phrases, summarise


def outcomes() -> list[Outcome]:
    rng = np.random.default_rng(0)
    return [
        Outcome(image, kind, float(rng.random() < chance))
        for image in range(200)
        for kind, chance in (("exist", 0.9), ("count", 0.5), ("query", 0.7))
        for _ in range(2)
    ]


def test_macro_is_the_mean_of_the_groups_and_lies_in_its_interval() -> None:
    found = summarise(outcomes(), ("exist", "count", "query"))
    values = [found[g]["value"] for g in ("exist", "count", "query")]  # type: ignore[index]
    macro = found["macro"]
    assert isinstance(macro, dict)
    assert macro["value"] == pytest.approx(np.mean(values), abs=1e-3)
    low, high = macro["interval"]
    assert low < macro["value"] < high
    assert 0.02 < high - low < 0.08
    assert found["n"] == 1_200
    assert found["images"] == 200


def test_an_interval_of_certain_answers_has_no_width() -> None:
    sure = [Outcome(i, "x", 1.0) for i in range(50)]
    assert summarise(sure)["accuracy"] == {"value": 1.0, "interval": [1.0, 1.0]}
    assert interval(sure, lambda weights: weights.mean(1)) == [1.0, 1.0]


def test_captions_are_sets_of_objects() -> None:
    said = phrases("a small red metal cube, an orange thing and a small red metal cube.")
    assert said == {"small red metal cube": 2, "orange thing": 1}


def test_the_card_names_what_was_measured(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"phase": "3", "step": 7, "spent": 60.0, "pictures": 900}) + "\n")
    report = {
        "fingerprint": "abc",
        "data": "held",
        "snr_db": 10.0,
        "split_layer": 2,
        "vqa": summarise(outcomes(), ("exist", "count", "query")),
        "reviews": summarise([Outcome(i, "review", 1.0) for i in range(9)]),
    }
    text = card(report, log)
    assert "abc" in text
    assert "| vqa | 1200 / 200 |" in text
    assert "| reviews | 9 / 9 |  |  |  | 100.0 (100.0 to 100.0) |" in text
    assert "| 3 joint training through the channel | 7 | 1 |" in text
