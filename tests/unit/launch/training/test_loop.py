"""The loop: schedule, checkpoints, continued runs, shares of workers."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from launch.errors import Interrupted
from launch.training.loop import (
    Checkpoint,
    Phase,
    Rngs,
    TrainingError,
    normal,
    row_rng,
    train,
)
from launch.training.parallel import Team
from launch.training.recipe import MICRO_FURTHER_RECIPE, MICRO_RECIPE, PAPER_RECIPE, Plan, recipe_of
from launch.training.record import Record
from launch.training.stop import ask_to_stop, forget_to_stop

STATE = {"step": 3, "spent_s": 1.0, "modules": {"w": {"weight": torch.ones(200)}}, "optimizer": {}}


def test_checkpoint_is_whole_or_absent(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "a" / "x.pt")
    assert checkpoint.load() is None
    checkpoint.save(STATE)
    found = checkpoint.load()
    assert found is not None
    assert found["step"] == 3
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["x.pt"]
    assert not checkpoint.due()


@pytest.mark.parametrize(
    ("damage", "field"), [("half", ""), ("foreign", ""), ("other", "step: "), ("wrong", "modules: ")]
)
def test_a_damaged_checkpoint_is_one_line_that_names_it(tmp_path: Path, damage: str, field: str) -> None:
    path = tmp_path / "x.pt"
    Checkpoint(path).save(STATE)
    if damage == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "foreign":
        path.write_text("not a checkpoint")
    elif damage == "other":
        torch.save({"weights": 1}, path)
    else:
        torch.save({**STATE, "modules": 3}, path)
    with pytest.raises(TrainingError, match=rf"x\.pt: {field}no whole checkpoint") as raised:
        Checkpoint(path).load()
    assert "\n" not in str(raised.value)


def a_phase(
    steps: int, stop_at: int | None = None, on_step: Callable[[int], object] = lambda step: None
) -> tuple[Phase, nn.Linear]:
    torch.manual_seed(0)
    layer = nn.Linear(3, 1)

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        if step == stop_at:
            raise KeyboardInterrupt
        on_step(step)
        x = normal(rngs, 3)
        yield "fit", (layer(x) - x.sum(1, keepdim=True)).square().mean(), {"seen": float(step)}

    return Phase("fit", Plan(steps, 4, 0.05), {"layer": layer}, list(layer.parameters()), losses), layer


def test_a_stopped_phase_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    whole, expected = a_phase(30)
    for name in "ab":
        (tmp_path / name).mkdir()
    train(Team(0, 1), whole, tmp_path / "a", seed=5)
    with pytest.raises(KeyboardInterrupt):
        train(Team(0, 1), a_phase(30, stop_at=17)[0], tmp_path / "b", seed=5)
    again, found = a_phase(30)
    train(Team(0, 1), again, tmp_path / "b", seed=5)
    torch.testing.assert_close(found.weight, expected.weight, rtol=0, atol=0)
    lines = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 30
    assert lines[-1]["fit/loss"] < 3


def test_a_stop_file_ends_a_phase_after_its_step_with_a_checkpoint(tmp_path: Path) -> None:
    whole, expected = a_phase(9)
    for name in "ab":
        (tmp_path / name).mkdir()
    train(Team(0, 1), whole, tmp_path / "a", seed=5)
    stopped, _ = a_phase(9, on_step=lambda step: step == 4 and ask_to_stop(tmp_path / "b"))
    with pytest.raises(Interrupted, match=r"^fit: stopped after step 5 of 9$"):
        train(Team(0, 1), stopped, tmp_path / "b", seed=5)
    forget_to_stop(tmp_path / "b")
    assert torch.load(tmp_path / "b" / "fit.pt")["step"] == 5
    again, found = a_phase(9)
    train(Team(0, 1), again, tmp_path / "b", seed=5)
    torch.testing.assert_close(found.weight, expected.weight, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"layer": {"weight": torch.ones(1, 4), "bias": torch.ones(1)}},
            r"weight: expected shape \[1, 3\], ",
        ),
        ({"layer": {"weight": torch.ones(1, 3)}}, r"bias: expected shape \[1\], found none"),
        ({"other": {}}, "layer: expected its tensors, found none"),
    ],
)
def test_a_checkpoint_of_other_sizes_is_one_line_that_names_file_and_field(
    tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    phase, _ = a_phase(3)
    train(Team(0, 1), phase, tmp_path, seed=5)
    path = tmp_path / "fit.pt"
    torch.save({**torch.load(path), "modules": changed}, path)
    with pytest.raises(TrainingError, match=rf"^{path}: modules\.(layer\.)?{message}") as raised:
        train(Team(0, 1), a_phase(3)[0], tmp_path, seed=5)
    assert "\n" not in str(raised.value)


def test_an_optimizer_of_another_phase_is_named(tmp_path: Path) -> None:
    train(Team(0, 1), a_phase(3)[0], tmp_path, seed=5)
    path = tmp_path / "fit.pt"
    torch.save({**torch.load(path), "optimizer": {"state": {}, "param_groups": []}}, path)
    with pytest.raises(TrainingError, match=rf"^{path}: optimizer: not this phase's"):
        train(Team(0, 1), a_phase(3)[0], tmp_path, seed=5)


def test_rows_are_shared_evenly_and_drawn_alike() -> None:
    shares = [list(Team(rank, 2).rows(8)) for rank in range(2)]
    assert sorted(shares[0] + shares[1]) == list(range(8))
    with pytest.raises(ValueError, match="cannot be shared evenly"):
        Team(0, 3).rows(8)
    assert row_rng(1, "a", 2, 3).integers(1 << 60) == row_rng(1, "a", 2, 3).integers(1 << 60)
    assert row_rng(1, "a", 2, 3).integers(1 << 60) != row_rng(1, "b", 2, 3).integers(1 << 60)
    assert normal([np.random.default_rng(0)], 2, 3).shape == (1, 2, 3)


def test_a_recipe_is_scaled_in_steps_alone() -> None:
    short = MICRO_RECIPE.scaled(0.001)
    for name, plan in short.plans.items():
        assert plan.steps == max(2, round(MICRO_RECIPE.plans[name].steps * 0.001))
        assert plan.rows == MICRO_RECIPE.plans[name].rows


def test_a_record_writes_means(tmp_path: Path) -> None:
    record = Record(tmp_path, "tune")
    record.add({"loss": 1.0})
    record.add({"loss": 3.0, "right": 1.0})
    record.write(5, 10, 2.0)
    record.write_dev(5, {"mean": 0.25})
    record.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == [
        {"phase": "tune", "step": 5, "of": 10, "spent_s": 2.0, "loss": 2.0, "right": 1.0},
        {"phase": "tune", "step": 5, "dev/mean": 0.25},
    ]


def test_going_on_from_a_bundle_has_its_own_recipe() -> None:
    assert recipe_of("micro", further=False) is MICRO_RECIPE
    assert recipe_of("micro", further=True) is MICRO_FURTHER_RECIPE
    assert recipe_of("paper", further=True) is PAPER_RECIPE
    assert MICRO_FURTHER_RECIPE.plans.keys() == MICRO_RECIPE.plans.keys()
    for name, plan in MICRO_FURTHER_RECIPE.plans.items():
        assert plan.peak <= MICRO_RECIPE.plans[name].peak
