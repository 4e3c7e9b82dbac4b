import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from launch.datasets.errors import DatasetError
from launch.datasets.imdb import read_reviews

GOOD = {"id": "train/pos/1.txt", "label": "pos", "text": "A fine film.<br /><br />See it."}
BAD = {"id": "train/neg/2.txt", "label": "neg", "text": "Dull."}


def _write(path: Path, records: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["reviews.jsonl", "reviews.jsonl.gz"])
def test_reviews_become_samples(tmp_path: Path, name: str) -> None:
    first, second = read_reviews(_write(tmp_path / name, [GOOD, BAD]))
    assert first.task == "text_classification"
    assert first.image is None
    assert first.text == "A fine film. See it."
    assert (first.answer, second.answer) == ("positive", "negative")
    assert first.sample_id == "train/pos/1.txt"
    assert read_reviews(tmp_path / name, limit=1) == [first]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({**BAD, "label": "meh"}, "line 2: label: expected pos or neg, found 'meh'"),
        ({**BAD, "label": ["pos"]}, "line 2: label: expected pos or neg"),
        ({**BAD, "text": " "}, "line 2: text: expected a text that is not empty"),
        ({"label": "pos", "text": "x"}, "line 2: id: expected a text that is not empty, found nothing"),
        (GOOD, "line 2: id: 'train/pos/1.txt' was used on line 1"),
    ],
)
def test_a_bad_review_is_named(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    path = _write(tmp_path / "reviews.jsonl", [GOOD, record])
    with pytest.raises(DatasetError, match=message) as caught:
        read_reviews(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
