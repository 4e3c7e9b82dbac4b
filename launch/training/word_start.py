"""What words begin with: who stands beside whom in the reviews, and then what a bag of words makes of it.

A review is judged by words of which most are rare. Their vectors start near those of words that are used
alike (`terrible` beside `awful`), so what is learned about one holds for the others.

Shapes: V words, D width.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW: Final = 5
"""Words on either side that count as neighbours, near ones more."""
CONTEXT_POWER: Final = 0.75
"""Levy, Goldberg and Dagan 2015, section 3.1: smooths the shares of neighbours."""
EIGENVALUE_POWER: Final = 0.5
"""The same, section 3.3."""
SPARE: Final = 16
"""Directions beyond those wanted that the randomised decomposition works with."""
PASSES: Final = 8
RATE: Final = 5e-4


def word_vectors(ids: Sequence[Sequence[int]], vocab: int, width: int, seed: int = 0) -> Tensor:
    """[V, D], centred, of length 1 on average: positive pointwise mutual information, truncated SVD.

    Levy, Goldberg and Dagan 2015. Words that do not occur get random vectors.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(vocab, width, generator=generator) * width**-0.5
    counts_VV = _neighbours(ids, vocab)
    amount_V = counts_VV.sum(1)
    shares_V = amount_V.pow(CONTEXT_POWER)
    shares_V = shares_V / shares_V.sum().clamp_min(1e-9)
    expected_VV = (amount_V[:, None] * shares_V).clamp_min_(1e-9)
    information_VV = (counts_VV / expected_VV).clamp_min_(1.0).log_()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        left, values, _ = torch.svd_lowrank(information_VV, q=min(width + SPARE, vocab), niter=3)
    found = (left * values.pow(EIGENVALUE_POWER))[:, :width]
    there = amount_V > 0
    if int(there.sum()) < 2:
        return start
    seen = found[there] - found[there].mean(0)
    seen = seen / seen.std(0).clamp_min(1e-6)  # every direction alike
    start[there, : found.shape[1]] = seen / seen.norm(dim=1).mean()
    return start


def _neighbours(ids: Sequence[Sequence[int]], vocab: int) -> Tensor:
    """How often words stand near each other, [V, V]; `d` places apart counts (WINDOW + 1 - d) / WINDOW."""
    counts = np.zeros(vocab * vocab, np.float32)
    apart = np.full(WINDOW, -1, np.int64)  # texts are no neighbours of each other
    flat = np.concatenate([part for text in ids for part in (np.asarray(text, np.int64), apart)] or [apart])
    for distance in range(1, WINDOW + 1):
        first, second = flat[:-distance], flat[distance:]
        both = (first >= 0) & (second >= 0)
        pairs = np.bincount(first[both] * vocab + second[both], minlength=vocab * vocab)
        counts += pairs.astype(np.float32) * ((WINDOW + 1 - distance) / WINDOW)
    one_way = torch.from_numpy(counts).view(vocab, vocab)
    return one_way + one_way.T


def sentiment_start(
    ids: Sequence[Sequence[int]], labels: np.ndarray, vocab: int, width: int, seed: int = 0
) -> Tensor:
    """Embeddings [V, D]: `word_vectors`, bent by a classifier of the sets of words that texts are made of."""
    generator = torch.Generator().manual_seed(seed)
    bag, head = nn.EmbeddingBag(vocab, width, mode="mean"), nn.Linear(width, 1)
    with torch.no_grad():
        bag.weight.copy_(word_vectors(ids, vocab, width, seed))
        head.weight.copy_(torch.randn(1, width, generator=generator) * width**-0.5)
        head.bias.zero_()
    optim = torch.optim.Adam([*bag.parameters(), *head.parameters()], lr=RATE)
    sets, target = [sorted(set(text)) for text in ids], torch.as_tensor(labels, dtype=torch.float32)
    for _ in range(PASSES):
        for rows in torch.randperm(len(sets), generator=generator).split(64):
            chosen = [sets[i] for i in rows.tolist()]
            flat = torch.tensor([token for row in chosen for token in row])
            starts = torch.tensor([0, *np.cumsum([len(row) for row in chosen])[:-1].tolist()])
            loss = functional.binary_cross_entropy_with_logits(
                head(bag(flat, starts)).squeeze(1), target[rows]
            )
            optim.zero_grad()
            loss.backward()
            optim.step()
    return bag.weight.detach()
