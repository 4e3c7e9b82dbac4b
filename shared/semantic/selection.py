"""Token selection: which image tokens are worth sending when not all are sent.

What a token says is measured by the energy that the public channel code gives it: a code of `stream` power
was trained under a budget, so it spends energy where answers depend on it. No question is looked at, so the
same tokens serve every question that is asked later.

Shapes: N tokens of an image, D token width.
"""

import torch
from torch import Tensor

from shared.semantic.codec import ChannelEncoder


def salience(encoder: ChannelEncoder, tokens_ND: Tensor) -> Tensor:
    """Energy of each token's whole code, [..., N]; of a code of `token` power, before that is made alike."""
    energy_N: Tensor = encoder.linear(tokens_ND).float().square().sum(-1)
    return energy_N


def most_salient(salience_N: Tensor, keep: Tensor | int) -> Tensor:
    """Bool [..., N]: the `keep` most salient tokens; of equals, the first. `keep` is a number, or [...]."""
    order_N = salience_N.argsort(stable=True, dim=-1, descending=True)
    rank_N = torch.empty_like(order_N).scatter_(
        -1, order_N, torch.arange(order_N.shape[-1]).expand_as(order_N)
    )
    limit = keep.unsqueeze(-1) if isinstance(keep, Tensor) else keep
    return rank_N < limit
