import json
import os
from pathlib import Path
from typing import Any

import pytest

from launch.datasets.errors import DatasetError
from launch.datasets.llava import MAX_CHARACTERS, MAX_TURNS, Turn, read_conversations


def said(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(texts)]


GOOD: dict[str, Any] = {
    "id": "7",
    "image": "coco/7.jpg",
    "conversations": said("<image>\nWhat is it?", "A cat.", "What color?", "Grey."),
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "coco").mkdir(parents=True)
    (folder / "coco" / "7.jpg").write_bytes(b"jpg")
    (tmp_path / "outside.jpg").write_bytes(b"jpg")
    return folder


def write(folder: Path, content: Any) -> Path:
    path = folder / "chat.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_records_become_conversations(tmp_path: Path, images: Path) -> None:
    text = {"id": 8, "conversations": said("Name a color.", "red")}
    caption = {"id": "9", "image": "coco/7.jpg", "conversations": said("<image>", "A cat on a mat.")}
    path = write(tmp_path, [GOOD, text, caption])
    first, second, third = read_conversations(path, images)
    assert first.turns == (Turn("What is it?", "A cat."), Turn("What color?", "Grey."))
    assert first.image == (images / "coco" / "7.jpg").resolve()
    assert (second.record_id, second.image, second.task) == ("8", None, "vqa")
    assert (third.task, third.turns) == ("caption", (Turn("", "A cat on a mat."),))
    assert read_conversations(path, images, limit=1) == [first]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "record 1: id: expected a text that is not empty"),
        ({"id": "x" * 600}, "record 1: id: expected at most 512 characters, found 600"),
        ({"image": 3}, "record 1: image: expected a text"),
        ({"image": "none.jpg"}, r"record 1: image: no such image .*none\.jpg"),
        ({"image": "coco"}, "record 1: image: no such image"),
        ({"image": "../outside.jpg"}, r"record 1: image: expected a path below .*'\.\./outside\.jpg'"),
        ({"image": "/etc/passwd"}, "record 1: image: expected a path below"),
        ({"image": "link.jpg"}, "record 1: image: expected a path below"),
        ({"image": "a\0b"}, "record 1: image: expected a path"),
        (
            {"conversations": None},
            "record 1: conversations: expected 1 to 256 pairs of turns, found NoneType",
        ),
        ({"conversations": []}, "record 1: conversations: expected 1 to 256 pairs"),
        ({"conversations": said("<image>?")}, "pairs of turns, found 1 of them"),
        ({"conversations": said(*["a"] * 2 * (MAX_TURNS + 1))}, "pairs of turns, found 514 of them"),
        ({"conversations": ["hello", "you"]}, r"conversations\[0\]: expected an object, found str"),
        ({"conversations": list(reversed(said("a", "b")))}, r"conversations\[0\]\.from: expected 'human'"),
        ({"conversations": said("<image>a", "")}, r"conversations\[1\]: value: expected a text that is not"),
        ({"conversations": said("<image>a", "x" * (MAX_CHARACTERS + 1))}, r"\[1\]: value: expected at most"),
        ({"conversations": said("a", "b")}, "expected <image> in one human turn, found 0 of them"),
        ({"conversations": said("a <image>", "b", "<image>", "c")}, "in one human turn, found 2 of them"),
        ({"conversations": said("a", "<image>")}, "in one human turn"),
        ({"conversations": said("<image>", "b", "c", "d")}, r"conversations\[0\]\.value: expected a text"),
        ({"image": None}, "expected no <image> without an image, found 1 of them"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, images: Path, change: dict[str, Any], message: str) -> None:
    os.symlink(tmp_path / "outside.jpg", images / "link.jpg")
    path = write(tmp_path, [GOOD, {**GOOD, **change}])
    with pytest.raises(DatasetError, match=message) as caught:
        read_conversations(path, images)
    assert str(caught.value).startswith(f"{path}: record 1: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" + json.dumps(GOOD)[:40], "expected JSON in UTF-8"),
        ("[" * 100_000, "nested too deep"),
        ("{}", "expected a list of conversations, found dict"),
        ("[]", "expected a list of conversations, found an empty one"),
        ("[1]", "record 0: expected an object, found int"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, images: Path, content: str, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_conversations(path, images)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_named(tmp_path: Path, images: Path) -> None:
    with pytest.raises(DatasetError, match=r"chat\.json: no such file, expected a list of conversations"):
        read_conversations(tmp_path / "chat.json", images)
    with pytest.raises(DatasetError, match="none: no such folder, expected the images"):
        read_conversations(write(tmp_path, [GOOD]), tmp_path / "none")
