"""Token selection: which image tokens are worth sending when not all are sent.

What a token says is measured by the energy that the public channel code gives it: the code was trained under
a power budget, so it spends power where answers depend on it. No question is looked at, so the same tokens
serve every question that is asked later.

Shapes: N tokens of an image, R real values a token.
"""

import torch
from torch import Tensor


def salience(coded_NR: Tensor) -> Tensor:
    """Energy of each token at the encoder's own power, [..., N], from its whole public code [..., N, R]."""
    energy_N: Tensor = coded_NR.float().square().sum(-1)
    return energy_N


def most_salient(salience_N: Tensor, keep: Tensor | int) -> Tensor:
    """Bool [..., N]: the `keep` most salient tokens; of equals, the first. `keep` is a number, or [...]."""
    order_N = salience_N.argsort(stable=True, dim=-1, descending=True)
    rank_N = torch.empty_like(order_N).scatter_(
        -1, order_N, torch.arange(order_N.shape[-1]).expand_as(order_N)
    )
    limit = keep.unsqueeze(-1) if isinstance(keep, Tensor) else keep
    return rank_N < limit
