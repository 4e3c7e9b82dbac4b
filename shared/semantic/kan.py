"""The cross-modal projector: a Kolmogorov-Arnold network with B-splines on its edges (Liu et al. 2024).

Every edge i -> o carries phi(x) = scale * sum_g c_g B_g(x) + base * silu(x), so `grid` + `order` spline
coefficients, one base weight and one spline scale; no bias. With grid 5 and order 3 that is 10 parameters an
edge: [1024, 2304, 2304] has 76,677,120.

Shapes: B tokens, I inputs, O outputs, G = grid + order coefficients, F = I G.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

GRID_RANGE = (-1.0, 1.0)
ROWS = 32


def knots(grid: int, order: int, device: torch.device | None = None) -> Tensor:
    """The uniform knots of `grid` intervals on GRID_RANGE, continued by `order` intervals at both ends."""
    low, high = GRID_RANGE
    step = (high - low) / grid
    return torch.arange(-order, grid + order + 1, dtype=torch.float32, device=device) * step + low


def bspline_basis(x_BI: Tensor, knots_K: Tensor, order: int) -> Tensor:
    """Values of the B-splines of `order`, [B, I, G], by the Cox-de Boor recursion (de Boor 1972).

    The splines come first while it computes: then every step runs along the inputs, not along a few splines.
    """
    x, at_K11 = x_BI.unsqueeze(0), knots_K[:, None, None]
    basis = ((x >= at_K11[:-1]) & (x < at_K11[1:])).to(x_BI.dtype)
    for k in range(1, order + 1):
        left = (x - at_K11[: -(k + 1)]) / (at_K11[k:-1] - at_K11[: -(k + 1)])
        right = (at_K11[k + 1 :] - x) / (at_K11[k + 1 :] - at_K11[1:-k])
        basis = left * basis[:-1] + right * basis[1:]
    return basis.permute(1, 2, 0)


class KanLayer(nn.Module):
    """One layer of edges, [.., I] -> [.., O]."""

    knots_K: Tensor

    def __init__(self, inputs: int, outputs: int, grid: int = 5, order: int = 3) -> None:
        super().__init__()
        self.order = order
        self.base_OI = nn.Parameter(torch.empty(outputs, inputs))
        self.scale_OI = nn.Parameter(torch.empty(outputs, inputs))
        self.coefficients_OIG = nn.Parameter(torch.empty(outputs, inputs, grid + order))
        self.register_buffer("knots_K", knots(grid, order), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.kaiming_uniform_(self.base_OI, a=math.sqrt(5))
        nn.init.kaiming_uniform_(self.scale_OI, a=math.sqrt(5))
        nn.init.normal_(self.coefficients_OIG, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        x_BI = x.reshape(-1, x.shape[-1])
        # A few rows at a time, without gradients, all that is computed with stays in a core's cache.
        whole = torch.is_grad_enabled() or x.is_cuda
        basis_BF = torch.cat(
            [
                bspline_basis(some_BI.float(), self.knots_K, self.order).to(x.dtype).flatten(1)
                for some_BI in ((x_BI,) if whole else x_BI.split(ROWS))
            ]
        )
        weight_OIG = self.coefficients_OIG * self.scale_OI.unsqueeze(-1)
        y_BO = functional.linear(functional.silu(x_BI), self.base_OI) + functional.linear(
            basis_BF, weight_OIG.flatten(1)
        )
        return y_BO.reshape(*x.shape[:-1], -1)


class KanProjector(nn.Module):
    """Image tokens of the vision tower to the width of the language model.

    Inputs are divided by SPREAD, which puts SigLIP's layer-normalised tokens inside the splines' range; the
    base branch sees the same values. This has no parameters.
    """

    SPREAD = 3.0

    def __init__(self, widths: tuple[int, ...], grid: int = 5, order: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(KanLayer(i, o, grid, order) for i, o in pairwise(widths))

    def forward(self, tokens: Tensor) -> Tensor:
        """[.., N, vision width] -> [.., N, language width]."""
        x = tokens / self.SPREAD
        for layer in self.layers:
            x = layer(x)
        return x
