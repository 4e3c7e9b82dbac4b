"""Texts that training makes or cuts, and the start of the embeddings."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from launch.datasets.sample import Sample
from launch.training.corpus import reviews_for, scene_texts, words_of_scenes
from launch.training.language import crop
from tests.unit.launch.training.tiny import grid_config, trace_codec


def test_a_crop_is_mostly_the_beginning_and_the_end() -> None:
    rng = np.random.default_rng(0)
    ids = list(range(10))
    found = Counter(tuple(crop(ids, 4, rng)) for _ in range(300))
    assert found.most_common(1)[0][0] == (0, 1, 8, 9)
    assert all(len(part) == 4 for part in found)
    assert crop(ids, 10, rng) == ids


def test_scene_texts_hold_questions_and_answers() -> None:
    texts = list(scene_texts(np.random.default_rng(0), 2))
    assert any(text.endswith("?") for text in texts)
    assert any(len(text.split()) == 1 for text in texts)


@pytest.mark.parametrize("amount", [0, 1, 5, 40, 330, 24_996])
def test_parts_of_the_reviews_are_apart_and_those_kept_are_whole_stretches(amount: int) -> None:
    reviews = [Sample("text_classification", None, "", "positive", "", "", str(n)) for n in range(amount)]
    numbers = {
        part: [int(r.sample_id) for r in reviews_for(part, reviews)] for part in ("train", "dev", "test")
    }
    assert sorted(n for found in numbers.values() for n in found) == list(range(amount))
    assert len(numbers["train"]) >= 0.9 * amount - 2
    if amount == 24_996:
        kept = numbers["dev"]
        assert len(kept) == 625
        assert sum(b - a > 1 for a, b in pairwise(kept)) == 4  # five stretches


def test_words_of_scenes_hold_traces_and_answers_but_not_what_reviews_alone_say() -> None:
    codec, config = trace_codec(), grid_config()
    words = set(words_of_scenes(codec, config))
    for text in ("positive", "what size is the cylinder", config.instructions["caption"], "@0 @7 ="):
        assert set(codec.encode(text)) <= words
    assert len(words) < codec.vocab_size
