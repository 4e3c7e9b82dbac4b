"""Texts that training makes or cuts, and the start of the embeddings."""

from collections import Counter

import numpy as np
import torch

from launch.training.corpus import scene_texts, sentiment_start
from launch.training.language import crop


def test_a_crop_is_mostly_the_beginning_and_the_end() -> None:
    rng = np.random.default_rng(0)
    ids = list(range(10))
    found = Counter(tuple(crop(ids, 4, rng)) for _ in range(300))
    assert found.most_common(1)[0][0] == (0, 1, 8, 9)
    assert all(len(part) == 4 for part in found)
    assert crop(ids, 10, rng) == ids


def test_embeddings_start_apart_where_sentiment_differs() -> None:
    torch.set_num_threads(1)
    ids = [[1, 2, 3], [1, 2, 4]] * 200
    torch.manual_seed(0)
    table = sentiment_start(ids, np.array([1, 0] * 200), 6, 8)
    assert table.shape == (6, 8)
    torch.manual_seed(0)  # the same random part: only sentiment tells the tables apart
    plain = sentiment_start(ids, np.array([1, 1] * 200), 6, 8)
    assert (table[3] - table[4]).norm() > (plain[3] - plain[4]).norm()


def test_scene_texts_hold_questions_and_answers() -> None:
    texts = list(scene_texts(np.random.default_rng(0), 2))
    assert any(text.endswith("?") for text in texts)
    assert any(len(text.split()) == 1 for text in texts)
