"""The KAN projector: B-splines against known values, and the paper's parameter count."""

import pytest
import torch

from shared.semantic.config import MICRO, PAPER
from shared.semantic.kan import KanLayer, KanProjector, bspline_basis, knots


def cox_de_boor(t: list[float], i: int, order: int, x: float) -> float:
    """The recursion as de Boor wrote it, one spline at one point."""
    if order == 0:
        return 1.0 if t[i] <= x < t[i + 1] else 0.0
    left = (x - t[i]) / (t[i + order] - t[i]) * cox_de_boor(t, i, order - 1, x)
    right = (t[i + order + 1] - x) / (t[i + order + 1] - t[i + 1]) * cox_de_boor(t, i + 1, order - 1, x)
    return left + right


def test_the_papers_projector_has_76_677_120_parameters() -> None:
    with torch.device("meta"):
        kan = KanProjector(PAPER.kan.widths, PAPER.kan.grid, PAPER.kan.order)
    assert sum(p.numel() for p in kan.parameters()) == 76_677_120


def test_ten_parameters_an_edge() -> None:
    kan = KanProjector(MICRO.kan.widths)
    edges = sum(i * o for i, o in zip(MICRO.kan.widths[:-1], MICRO.kan.widths[1:], strict=True))
    assert sum(p.numel() for p in kan.parameters()) == 10 * edges


@pytest.mark.parametrize(("grid", "order"), [(5, 3), (3, 2), (7, 1), (4, 0)])
def test_basis_is_that_of_cox_and_de_boor(grid: int, order: int) -> None:
    k = knots(grid, order).double()
    x = torch.linspace(-1.5, 1.5, 31, dtype=torch.float64)[:, None]
    found = bspline_basis(x, k, order)
    assert found.shape == (31, 1, grid + order)
    expected = [[cox_de_boor(k.tolist(), i, order, v) for i in range(grid + order)] for v in x[:, 0].tolist()]
    torch.testing.assert_close(found[:, 0], torch.tensor(expected, dtype=torch.float64), atol=1e-9, rtol=0)


def test_partition_of_unity_inside_the_range() -> None:
    x = torch.linspace(-1.0, 0.999, 50)[:, None]
    torch.testing.assert_close(bspline_basis(x, knots(5, 3), 3).sum(-1), torch.ones(50, 1), atol=1e-5, rtol=0)


def test_cubic_spline_at_its_knots() -> None:
    """1/6, 2/3, 1/6 are the values of a uniform cubic B-spline at its inner knots."""
    values = bspline_basis(torch.tensor([[-0.6 + 1e-7]]), knots(5, 3), 3)[0, 0]
    torch.testing.assert_close(values[1:4], torch.tensor([1 / 6, 2 / 3, 1 / 6]), atol=1e-4, rtol=0)


def test_layer_is_the_sum_over_its_edges() -> None:
    torch.manual_seed(0)
    layer, x = KanLayer(3, 2), torch.rand(4, 3) * 2 - 1
    basis = bspline_basis(x, layer.knots_K, 3)
    by_edge = torch.einsum("big,oig,oi->bo", basis, layer.coefficients_OIG, layer.scale_OI)
    by_edge = by_edge + torch.nn.functional.silu(x) @ layer.base_OI.T
    torch.testing.assert_close(layer(x), by_edge)


def test_how_many_rows_are_computed_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = KanLayer(6, 5)
    x = torch.randn(70, 6, generator=torch.Generator().manual_seed(1))
    with_gradients = layer(x)
    assert with_gradients.requires_grad
    with torch.inference_mode():
        for rows in (1, 32, 70):
            monkeypatch.setattr("shared.semantic.kan.ROWS", rows)
            assert torch.equal(layer(x), with_gradients)
