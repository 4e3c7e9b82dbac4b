"""Token selection: which image tokens are worth sending when not all are sent.

What a token says is measured by the energy that the public channel code gives it: a code of `stream` power
was trained under a budget, so it spends energy where answers depend on it. No question is looked at, so the
same tokens serve every question that is asked later. Where they are chosen for one question
(`rate.selection: question`), those come first that reasoning about it names.

Shapes: N tokens of an image, D token width.
"""

from collections.abc import Sequence

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


def named_first(salience_N: Tensor, named: Sequence[int], keep: int | None) -> Tensor:
    """Bool [N]: the tokens `named`, in that order, then the most salient of the others, `keep` in all.

    None: those named alone, or, where none is, the most salient one.
    """
    length = len(salience_N)
    urgent_N = salience_N.new_zeros(length)
    known = [token for token in named if token < length]
    for rank, token in enumerate(known):
        urgent_N[token] = length - rank
    others_N = salience_N.argsort(stable=True, descending=True).argsort() / -(length + 1.0)
    wanted = max(1, len(known)) if keep is None else keep
    return most_salient(urgent_N + others_N, wanted)
