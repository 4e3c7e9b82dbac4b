"""Schedule, clock and checkpoints."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from launch.training.loop import Checkpoint, Clock, Mean, log, optimizer, rate, update
from launch.training.parallel import Team


def test_rate_warms_up_then_falls() -> None:
    assert rate(0.0, 1.0) == 0.0
    assert rate(0.03, 1.0) == pytest.approx(1.0)
    assert rate(1.0, 1.0, 0.02) == pytest.approx(0.02)
    assert rate(0.2, 1.0) > rate(0.6, 1.0) > rate(0.9, 1.0)


def test_clock_counts_what_was_spent_before() -> None:
    assert Clock(100.0, 250.0).progress == 1.0
    assert Clock(100.0, 50.0).progress == pytest.approx(0.5, abs=0.01)


def test_checkpoint_is_whole_or_absent(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "a" / "x.pt")
    assert checkpoint.load() is None
    checkpoint.save({"step": 3, "weights": {"w": torch.ones(2)}})
    found = checkpoint.load()
    assert found is not None
    assert found["step"] == 3
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["x.pt"]
    assert not checkpoint.due()


def test_update_steps_and_clears() -> None:
    layer = nn.Linear(2, 1)
    before = layer.weight.detach().clone()
    optim = optimizer(list(layer.parameters()))
    layer(torch.ones(1, 2)).sum().backward()
    update(optim, 0.1)
    assert not torch.equal(before, layer.weight)
    assert layer.weight.grad is None


def test_a_team_of_one_keeps_its_own_progress() -> None:
    assert Team(0, 1).average([], 0.3) == 0.3
    assert Team(0, 1).leads


def test_means_and_log_lines(tmp_path: Path) -> None:
    mean = Mean()
    mean.add(loss=1.0)
    mean.add(loss=3.0, right=1.0)
    log(tmp_path / "log", "2", step=5, **mean.take())
    assert json.loads((tmp_path / "log").read_text()) == {"phase": "2", "step": 5, "loss": 2.0, "right": 1.0}
    assert mean.take() == {}
