"""`question_at: ue`: the same users, images and questions as otherwise, on fewer requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launch.datasets.clevr_style.scene import sample_scene
from launch.workload import build_workload
from shared.config_file import ConfigError, parse_config

FIELDS = ("text", "expected", "kind", "family", "sample_id")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder as the renderer leaves it, with blank pictures."""
    root = tmp_path_factory.mktemp("rendered")
    (root / "images").mkdir()
    scenes = [sample_scene(0, "heldout", index) for index in range(24)]
    for scene in scenes:
        Image.new("RGB", (24, 16)).save(root / "images" / scene["image_filename"])
    (root / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    return str(root)


def build(folder: Path, question_at: str, control: str = "none", **workload: Any) -> list[dict[str, Any]]:
    config = parse_config(
        {"users": 4, "question_at": question_at, "control": control, "workload": workload}, "test"
    )
    folder.mkdir(exist_ok=True)
    count = build_workload(config, folder)
    entries = [json.loads(line) for line in (folder / "workload.jsonl").read_text().splitlines()]
    assert [entry["index"] for entry in entries] == list(range(count))
    return entries


def questions(entries: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {
        (entry["user"], entry["task"], entry["image"], *(asked[name] for name in FIELDS))
        for entry in entries
        for asked in entry.get("questions", [entry])
    }


@pytest.mark.parametrize("control", ["none", "another_image"])
@pytest.mark.parametrize(
    "options",
    [
        {"requests": 48, "questions_per_image": 6},
        {"requests": 50, "questions_per_image": 6, "overlap": 0.5},
        {"requests": 50, "questions_per_image": 6, "overlap": 1.0, "tasks": ["vqa", "vqa", "caption"]},
        {"requests": 60, "questions_per_image": 3, "limit": 2},
    ],
)
def test_the_same_questions_about_the_same_images(
    rendered: str, tmp_path: Path, options: dict[str, Any], control: str
) -> None:
    source = {"source": "clevr_style", "root": rendered, **options}
    sent = build(tmp_path / "bs", "bs", control, **source)
    asked_there = build(tmp_path / "ue", "ue", control, **source)
    assert questions(asked_there) == questions(sent)
    assert sum(len(entry.get("questions", [entry])) for entry in asked_there) == len(sent)
    arrivals = [entry["arrival_s"] for entry in asked_there]
    assert arrivals == sorted(arrivals)
    for entry in asked_there:
        if entry["task"] == "vqa":
            assert entry.keys() == {
                "index", "arrival_s", "user", "task", "text", "image", "question_at", "questions",
            }  # fmt: skip
            assert (entry["text"], entry["question_at"]) == ("", "ue")
            assert len(entry["questions"]) <= options["questions_per_image"]
        else:
            assert "questions" not in entry


def test_one_delivery_for_all_questions_about_an_image(rendered: str, tmp_path: Path) -> None:
    options = {"source": "clevr_style", "root": rendered, "requests": 80, "questions_per_image": 10}
    entries = build(tmp_path, "ue", **options)
    assert [(entry["user"], len(entry["questions"])) for entry in entries] == [
        (n % 4, 10) for n in range(8)
    ]  # fmt: skip


def test_a_users_own_requests(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
    rows = [
        {"text": "first?", "image": "a.png", "user": 0, "arrival_s": 1.0},
        {"text": "other?", "image": "b.png", "user": 0, "arrival_s": 2.0},
        {"text": "his?", "image": "a.png", "user": 1, "arrival_s": 2.0},
        {"text": "a fine film", "task": "text_classification", "user": 0, "arrival_s": 3.0},
        {"text": "second?", "image": "a.png", "user": 0, "arrival_s": 4.0, "expected": "2"},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    entries = build(tmp_path / "run", "ue", source="requests_file", root=str(path))
    assert [[asked["text"] for asked in entry.get("questions", [entry])] for entry in entries] == [
        ["first?", "second?"], ["other?"], ["his?"], ["a fine film"],
    ]  # fmt: skip
    assert entries[0]["questions"][1]["expected"] == "2"
    assert entries[0]["questions"][1]["sample_id"] == "line-4"

    path.write_text(json.dumps(rows[3]) + "\n")
    with pytest.raises(ConfigError, match=r"^question_at: 'ue' needs questions about images"):
        build(tmp_path / "run", "ue", source="requests_file", root=str(path))


def test_more_questions_than_one_answer_holds_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    path = tmp_path / "mine.jsonl"
    rows = [json.dumps({"text": f"{n}?", "image": "a.png", "user": 0}) + "\n" for n in range(65)]
    path.write_text("".join(rows))
    options = {"source": "requests_file", "root": str(path), "requests": 100}
    with pytest.raises(ConfigError, match="at most 64 questions a user about one image, not 65") as caught:
        build(tmp_path / "run", "ue", **options)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run").iterdir())
    assert len(build(tmp_path / "run", "bs", **options)) == 65
