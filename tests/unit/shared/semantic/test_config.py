"""Presets, and configurations that describe no codec."""

from typing import Any

import pytest

from shared.semantic.config import MICRO, PAPER, PRESETS, SemanticConfigError, parse_config
from shared.semantic.model import shape_of_model


def test_the_paper_preset_is_the_papers_model() -> None:
    model = shape_of_model(PAPER)
    assert 2.5e9 < sum(p.numel() for p in model.llm.parameters()) < 2.7e9
    assert model.llm.config.num_hidden_layers == 26
    assert PAPER.uses_per_token == 256
    assert model.llm.config._attn_implementation == "eager"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_a_round_trip(name: str) -> None:
    assert parse_config(PRESETS[name].model_dump(mode="json")) == PRESETS[name]


def test_micro_is_small_and_spends_no_more_symbols_than_the_paper() -> None:
    assert sum(p.numel() for p in shape_of_model(MICRO).parameters()) < 5e6
    assert MICRO.llm.hidden / (2 * MICRO.uses_per_token) >= PAPER.llm.hidden / (2 * PAPER.uses_per_token)


VISION = MICRO.vision.model_dump()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split_layer": 7}, "split_layer must lie in"),
        ({"split_layer": -1}, "split_layer"),
        ({"uses_per_token": 0}, "uses_per_token"),
        ({"name": None}, "name"),
        ({"vision": {**VISION, "patch_size": 7, "stem": None}}, "vision: patch_size must divide image_size"),
        ({"vision": {**VISION, "stem": [0, 64]}}, "vision: stem: expected positive numbers"),
        ({"vision": {**VISION, "stem": [8] * 5}}, "vision: stem: a patch is halved 5 times"),
        ({"vision": {**VISION, "stem": []}}, "vision.stem"),
        ({"surprise": 1}, "surprise"),
        ({"kan": {"widths": [1, 2]}}, "kan.widths must lead from 192 to 128"),
        ({"instructions": {"vqa": "x"}}, "instructions: expected one for each"),
        ({"limits": {"text_tokens": 5, "new_tokens": {"vqa": 1}}}, "new_tokens: expected"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SemanticConfigError, match=message) as caught:
        parse_config({**MICRO.model_dump(), **change})
    assert "\n" not in str(caught.value)


def test_something_else_entirely() -> None:
    with pytest.raises(SemanticConfigError, match="config"):
        parse_config([1, 2])
