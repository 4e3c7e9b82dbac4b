import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from launch.datasets.clevr_folder import family_of, read_captions, read_questions, read_scenes
from launch.datasets.clevr_style.questions import FAMILIES, questions_for
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


RELATE = [
    {"inputs": [], "function": "scene", "value_inputs": []},
    {"inputs": [0], "function": "filter_color", "value_inputs": ["red"]},
    {"inputs": [1], "function": "unique", "value_inputs": []},
    {"inputs": [2], "function": "relate", "value_inputs": ["left"]},
    {"inputs": [3], "function": "count", "value_inputs": []},
]


def _archive_question(**changes: Any) -> dict[str, Any]:
    """A question as CLEVR v1.0 holds it: no template, no type."""
    question = {
        "image_index": 0,
        "program": RELATE,
        "question_index": 0,
        "image_filename": "CLEVR_val_000000.png",
        "question_family_index": 12,
        "split": "val",
        "answer": "2",
        "question": "How many things are left of the red thing?",
    }
    return {**question, **changes}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """CLEVR v1.0 as it is unpacked, with one picture each of train and val, and test without answers."""
    root = tmp_path / "CLEVR_v1.0"
    for folder in ("scenes", "questions"):
        (root / folder).mkdir(parents=True)
    for split in ("train", "val", "test"):
        name = f"CLEVR_{split}_000000.png"
        (root / "images" / split).mkdir(parents=True)
        (root / "images" / split / name).write_bytes(b"png")
        if split != "test":
            scene = {**sample_scene(0, split, 0), "image_filename": name}
            path = root / "scenes" / f"CLEVR_{split}_scenes.json"
            path.write_text(json.dumps({"info": {"split": split}, "scenes": [scene]}))
        _write_archive_questions(root, split, [_archive_question(image_filename=name)])
    return root


def _write_archive_questions(root: Path, split: str, questions: list[Any]) -> None:
    path = root / "questions" / f"CLEVR_{split}_questions.json"
    path.write_text(json.dumps({"info": {}, "questions": questions}))


def test_an_archive_is_read_by_split(archive: Path) -> None:
    (sample,) = read_questions(archive, split="val")
    assert (sample.family, sample.kind, sample.answer) == ("one_hop", "count", "2")
    assert sample.image == archive / "images" / "val" / "CLEVR_val_000000.png"
    assert read_questions(archive) == [sample]  # what is held out of CLEVR is val
    assert read_questions(archive, families=("zero_hop",)) == []
    (scene,) = read_scenes(archive, "train")
    assert scene["image_filename"] == "CLEVR_train_000000.png"
    (found,) = read_captions(archive, split="train")
    assert found.image == archive / "images" / "train" / "CLEVR_train_000000.png"


def test_missing_parts_of_an_archive_are_named(archive: Path) -> None:
    with pytest.raises(DatasetError, match="images: split 'dev': expected test or train or val"):
        read_scenes(archive, "dev")
    with pytest.raises(DatasetError, match=r"scenes/CLEVR_test_scenes\.json: no such file"):
        read_scenes(archive, "test")
    path = archive / "questions" / "CLEVR_val_questions.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(DatasetError, match=r"CLEVR_val_questions\.json: expected JSON"):
        read_questions(archive)
    path.unlink()
    with pytest.raises(DatasetError, match=r"CLEVR_val_questions\.json: no such file"):
        read_questions(archive)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"program": []}, "question 1: program: expected CLEVR's functions"),
        ({"program": [{"inputs": [3]}]}, "question 1: program: expected CLEVR's functions"),
        ({"program": 3}, "question 1: program: expected CLEVR's functions"),
        ({"answer": None}, "question 1: answer: expected a text"),
        ({"image_filename": "../x.png"}, "question 1: image_filename: expected a plain file name"),
    ],
)
def test_a_bad_question_of_an_archive_is_named(archive: Path, change: dict[str, Any], message: str) -> None:
    _write_archive_questions(archive, "val", [_archive_question(), _archive_question(**change)])
    with pytest.raises(DatasetError, match=message) as caught:
        read_questions(archive)
    assert "CLEVR_val_questions.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_families_of_own_questions_are_read_off_their_programs() -> None:
    scenes = [sample_scene(3, "test", index) for index in range(12)]
    rng = np.random.default_rng(0)
    questions = [q for scene in scenes for q in questions_for(scene, rng, FAMILIES)]
    assert {question.family for question in questions} == set(FAMILIES)
    for question in questions:
        assert family_of(question.program) == question.family, question.question
        assert question.program[-1].function == question.kind
