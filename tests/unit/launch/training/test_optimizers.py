"""Rates, and what moves which weights."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from launch.training.optimizers import matrices, optimizers, rate, update


def test_rate_warms_up_then_falls() -> None:
    assert 0 < rate(0.0, 1.0, 0.02) < 0.1
    assert rate(0.03, 1.0, 0.02) == pytest.approx(1.0)
    assert rate(1.0, 1.0, 0.02) == pytest.approx(0.02)
    assert rate(0.2, 1.0, 0.02) > rate(0.6, 1.0, 0.02) > rate(0.9, 1.0, 0.02)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2))


@pytest.mark.parametrize("by_muon", [False, True])
def test_update_moves_everything_and_clears(by_muon: bool) -> None:
    net = network()
    before = [p.detach().clone() for p in net.parameters()]
    optim = optimizers(list(net.parameters()), matrices(net[1]) if by_muon else ())
    assert len(optim.parts) == 1 + by_muon
    net(torch.ones(4, 6)).square().mean().backward()
    update(optim, 0.1)
    for old, parameter in zip(before, net.parameters(), strict=True):
        assert not torch.equal(old, parameter)
        assert parameter.grad is None


def test_muon_s_update_of_a_matrix_is_orthogonal_and_as_large_as_adamw_s() -> None:
    """Jordan et al. 2024: the update's singular values are alike; Liu et al. 2025: its root mean square is
    0.2 times the rate, about that of AdamW's."""
    net = network()
    hidden = matrices(net[1])
    assert [tuple(p.shape) for p in hidden] == [(8, 8)]
    before = hidden[0].detach().clone()
    optim = optimizers(list(net.parameters()), hidden, decay=0.0)
    torch.manual_seed(1)
    net(torch.randn(64, 6)).square().sum().backward()
    hidden[0].grad = torch.randn(8, 8)
    update(optim, 0.1)
    step = hidden[0].detach() - before
    assert float(step.square().mean().sqrt()) == pytest.approx(0.2 * 0.1, rel=0.25)
    values = torch.linalg.svdvals(step)
    assert float(values.max() / values.min()) < 3.0


def test_what_is_held_can_be_saved_and_read_back() -> None:
    net, other = network(), network()
    optim = optimizers(list(net.parameters()), matrices(net[1]))
    again = optimizers(list(other.parameters()), matrices(other[1]))
    for _ in range(2):
        net(torch.ones(4, 6)).square().mean().backward()
        update(optim, 0.01)
    other.load_state_dict(net.state_dict())
    again.load_state_dict(deepcopy(optim.state_dict()))  # as through a file
    for one, moved in ((net, optim), (other, again)):
        one(torch.ones(4, 6)).square().mean().backward()
        update(moved, 0.01)
    for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
    with pytest.raises(ValueError, match="parameter group"):
        again.load_state_dict(optimizers(list(other.parameters())).state_dict())
