"""What words begin with."""

import numpy as np
import pytest
import torch
from torch import nn

from launch.training.language import keep_words
from launch.training.word_start import sentiment_start, word_vectors

A, B, UNUSED = 20, 21, 22
"""Two words of which either stands wherever one of them does, and one that is in no text."""


def texts(amount: int = 400) -> list[list[int]]:
    """A or B is always between words 0 and 1, or 2 and 3; all other words stand anywhere."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(amount):
        around = rng.integers(4, 20, size=8).tolist()
        first = int(rng.choice([0, 2]))
        found.append([*around[:4], first, int(rng.choice([A, B])), first + 1, *around[4:]])
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_words_that_are_used_alike_begin_side_by_side(seed: int) -> None:
    torch.set_num_threads(1)
    vectors = nn.functional.normalize(word_vectors(texts(), 23, 8, seed), dim=1)
    alike = vectors @ vectors[A]
    assert alike[B] > 0.8
    assert alike[4:20].max() < alike[B] - 0.2


def test_vectors_are_drawn_by_their_seed_alone_and_of_length_one_on_average() -> None:
    torch.set_num_threads(1)
    state = torch.random.get_rng_state()
    once = word_vectors(texts(), 23, 8, 3)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    torch.testing.assert_close(word_vectors(texts(), 23, 8, 3), once)
    assert float(once[:22].norm(dim=1).mean()) == pytest.approx(1.0)
    assert 0.2 < float(once[UNUSED].norm()) < 3.0


@pytest.mark.parametrize("ids", [[], [[5]], [[5], [5, 5]]])
def test_of_hardly_any_text_vectors_are_random(ids: list[list[int]]) -> None:
    vectors = word_vectors(ids, 12, 8)
    assert vectors.isfinite().all()
    assert (torch.cdist(vectors, vectors) + torch.eye(12)).min() > 0.1


@pytest.mark.parametrize(("labels", "alike"), [([1, 0], False), ([1, 1], True)])
def test_words_are_bent_apart_where_sentiment_differs(labels: list[int], alike: bool) -> None:
    torch.set_num_threads(1)
    ids = [[1, 2, 3], [1, 2, 4]] * 200
    bent = sentiment_start(ids, np.array(labels * 200), 6, 8) - word_vectors(ids, 6, 8)
    assert float(nn.functional.cosine_similarity(bent[3], bent[4], dim=0)) * (1 if alike else -1) > 0.5


def test_only_the_words_of_scenes_move() -> None:
    torch.manual_seed(0)
    embed = nn.Embedding(6, 4)
    before = embed.weight.detach().clone()
    keep_words(embed.weight, but=[1, 4])
    optim = torch.optim.Adam([embed.weight], lr=0.1)
    hidden = embed(torch.tensor([0, 1, 2])).sum(0)
    loss = nn.functional.cross_entropy(hidden @ embed.weight.T, torch.tensor(3))  # tied weights
    loss.backward()
    optim.step()
    moved = (embed.weight.detach() - before).abs().amax(1) > 0
    assert moved.tolist() == [False, True, False, False, True, False]
