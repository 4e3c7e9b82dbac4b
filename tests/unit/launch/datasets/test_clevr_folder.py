import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launch.datasets.clevr_folder import read_captions, read_questions, read_scenes
from launch.datasets.clevr_style.scene import sample_scene
from launch.datasets.errors import DatasetError


def _question(**changes: Any) -> dict[str, Any]:
    """A line as CLEVR's question generator writes it."""
    line = {
        "image_filename": "one.png",
        "question": "How many cubes are there?",
        "answer": "2",
        "template": "zero_hop.json",
        "question_family_index": 0,
        "type": "count",
    }
    return {**line, **changes}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "one.png").write_bytes(b"png")
    _write_questions(tmp_path, [_question(), _question(template="one_hop.json", type="exist", answer="no")])
    _write_scene(tmp_path, lambda scene: None)
    return tmp_path


def _write_questions(root: Path, records: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(record) + "\n" for record in records)
    (root / "questions.jsonl").write_text(text, encoding="utf-8")


def _write_scene(root: Path, change: Callable[[Any], None]) -> None:
    scene: Any = sample_scene(0, "test", 0)
    scene["image_filename"] = "one.png"
    change(scene)
    (root / "scenes.json").write_text(json.dumps({"info": {}, "scenes": [scene]}), encoding="utf-8")


def test_questions_become_samples(root: Path) -> None:
    first, second = read_questions(root)
    assert (first.task, first.text, first.answer) == ("vqa", "How many cubes are there?", "2")
    assert (first.kind, first.family, first.image) == ("count", "zero_hop", root / "images" / "one.png")
    assert (second.kind, second.family) == ("exist", "one_hop")
    assert first.sample_id != second.sample_id
    assert read_questions(root, families=("one_hop",)) == [second]
    assert read_questions(root, limit=1) == [first]


def test_scenes_become_captions(root: Path) -> None:
    (sample,) = read_captions(root)
    assert sample.task == "caption"
    assert sample.text == ""
    assert sample.answer.startswith("a ")
    assert sample.answer.count(" and ") == 1
    assert len(read_scenes(root)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_filename": "two.png"}, r"line 2: image_filename: no such image .*two\.png"),
        ({"image_filename": "../one.png"}, "line 2: image_filename: expected a plain file name"),
        ({"question": ""}, "line 2: question: expected a text that is not empty, found an empty one"),
        ({"answer": 2}, "line 2: answer: expected a text that is not empty, found int"),
        ({"type": None}, "line 2: type: expected a text"),
    ],
)
def test_a_bad_question_is_named(root: Path, change: dict[str, Any], message: str) -> None:
    _write_questions(root, [_question(), _question(**change)])
    with pytest.raises(DatasetError, match=message) as caught:
        read_questions(root)
    assert str(root / "questions.jsonl") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_question_without_a_field_is_named(root: Path) -> None:
    record = _question()
    del record["template"]
    _write_questions(root, [record])
    with pytest.raises(
        DatasetError, match="line 1: template: expected a text that is not empty, found nothing"
    ):
        read_questions(root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("image_filename"), "scene 0: image_filename: expected a text"),
        (lambda s: s.update(objects=[]), "scene 0: objects: expected a list that is not empty"),
        (
            lambda s: s["objects"][1].update(color="pink"),
            r"objects\[1\]\.color: expected one of gray, .*'pink'",
        ),
        (
            lambda s: s["objects"][0].pop("size"),
            r"objects\[0\]\.size: expected one of large, small, found None",
        ),
        (lambda s: s["objects"][0].update({"3d_coords": [1, 2]}), r"objects\[0\]\.3d_coords: expected three"),
        (lambda s: s["relationships"].pop("left"), "relationships.left: expected for each of"),
        (lambda s: s["relationships"]["front"][0].append(99), "relationships.front: expected"),
        (lambda s: s.update(relationships=[]), "scene 0: relationships: expected an object, found list"),
    ],
)
def test_a_bad_scene_is_named(root: Path, change: Callable[[Any], None], message: str) -> None:
    _write_scene(root, change)
    with pytest.raises(DatasetError, match=message) as caught:
        read_scenes(root)
    assert str(root / "scenes.json") in str(caught.value)


def test_missing_files_and_folders_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        read_questions(tmp_path / "none")
    (root / "scenes.json").unlink()
    with pytest.raises(DatasetError, match=r"scenes\.json: no such file"):
        read_scenes(root)
    (root / "scenes.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"scenes\.json: scenes: expected a list"):
        read_scenes(root)
    (root / "scenes.json").write_text("{", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"scenes\.json: expected JSON"):
        read_captions(root)
