import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from launch.datasets.errors import DatasetError
from launch.datasets.imdb import read_reviews
from launch.datasets.json_lines import MAX_LINE_CHARACTERS

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


def _review(folder: Path, name: str, text: str | bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "aclImdb"
    for split in ("train", "test"):
        _review(root / split / "pos", "0_9.txt", f"Fine {split}.<br /><br />See it.")
        _review(root / split / "pos", "1_7.txt", "Good.")
        _review(root / split / "neg", "0_3.txt", f"Dull {split}.")
    _review(root / "train" / "unsup", "0_0.txt", "Nobody knows.")
    (root / "train" / "pos" / "urls.html").write_text("no review")
    return root


def test_the_archives_folders_are_read_by_turns(archive: Path) -> None:
    found = read_reviews(archive, split="train")
    assert [sample.sample_id for sample in found] == [
        "train/pos/0_9.txt",
        "train/neg/0_3.txt",
        "train/pos/1_7.txt",
    ]
    assert [sample.answer for sample in found] == ["positive", "negative", "positive"]
    assert found[0].text == "Fine train. See it."
    assert read_reviews(archive / "train") == found
    assert read_reviews(archive, limit=2, split="train") == found[:2]
    assert [sample.text for sample in read_reviews(archive, limit=2)] == ["Fine test. See it.", "Dull test."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe", r"neg/1_1\.txt: expected UTF-8"),
        (" \n", r"neg/1_1\.txt: expected a text that is not empty"),
        ("x" * (MAX_LINE_CHARACTERS + 1), r"neg/1_1\.txt: expected at most"),
    ],
)
def test_a_bad_file_of_the_archive_is_named(archive: Path, text: str | bytes, message: str) -> None:
    _review(archive / "test" / "neg", "1_1.txt", text)
    with pytest.raises(DatasetError, match=message) as caught:
        read_reviews(archive)
    assert "\n" not in str(caught.value)


def test_a_folder_without_reviews_is_named(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"aclImdb: split 'dev': expected pos/ and neg/ in it or in dev/"):
        read_reviews(archive, split="dev")
    with pytest.raises(DatasetError, match=f"^{tmp_path}: split 'test': expected pos/ and neg/"):
        read_reviews(tmp_path)
    (archive / "test" / "neg" / "0_3.txt").unlink()
    with pytest.raises(DatasetError, match=r"test/neg: expected reviews \(\*\.txt\), found none"):
        read_reviews(archive)


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "reviews.jsonl.gz", [GOOD, BAD])
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DatasetError, match="expected a whole gzip file"):
        read_reviews(path)
