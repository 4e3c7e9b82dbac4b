"""Workloads: balanced, repeatable, shared as asked for; bad input is one line that says what and where."""

import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launch.datasets.clevr_style.programs import attributes_of
from launch.datasets.clevr_style.scene import sample_scene
from launch.scoring import caption_f1
from launch.workload import build_workload
from launch.workload.plan import image_count, places, plan
from shared.config_file import ConfigError, parse_config


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the renderer leaves it, with blank pictures; also readable as a CLEVR folder."""
    root = tmp_path_factory.mktemp("rendered")
    (root / "images").mkdir()
    scenes = [sample_scene(0, "heldout", index) for index in range(40)]
    for scene in scenes:
        Image.new("RGB", (24, 16)).save(root / "images" / scene["image_filename"])
    (root / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    (root / "scenes.json").write_text(json.dumps({"info": {}, "scenes": scenes}))
    return root


def build(folder: Path, users: int = 4, seed: int = 0, **workload: Any) -> list[dict[str, Any]]:
    config = parse_config({"users": users, "seed": seed, "workload": workload}, "test")
    folder.mkdir(exist_ok=True)
    count = build_workload(config, folder)
    entries = [json.loads(line) for line in (folder / "workload.jsonl").read_text().splitlines()]
    assert len(entries) == count
    return entries


@pytest.mark.parametrize("source", ["clevr_style", "clevr_folder"])
@pytest.mark.parametrize("requests", [96, 101])
def test_questions_are_balanced(rendered: Path, tmp_path: Path, source: str, requests: int) -> None:
    entries = build(tmp_path, source=source, root=str(rendered), requests=requests, questions_per_image=4)
    kinds = Counter("query" if e["kind"].startswith("query") else e["kind"] for e in entries)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    attributes = Counter(e["kind"] for e in entries if e["kind"].startswith("query"))
    assert max(attributes.values()) - min(attributes.values()) <= 1
    said = Counter(e["expected"] for e in entries if e["kind"] == "exist")
    assert abs(said["yes"] - said["no"]) <= 1
    asked = Counter((e["image"], e["text"]) for e in entries)
    per_image = Counter(e["image"] for e in entries)
    assert max(per_image.values()) <= 4
    assert len(asked) > 0.95 * len(entries)


def test_answers_are_right_on_the_scene(rendered: Path, tmp_path: Path) -> None:
    scenes = {s["image_filename"]: s for s in json.loads((rendered / "scenes.json").read_text())["scenes"]}
    entries = build(tmp_path, source="clevr_style", root=str(rendered), requests=60, tasks=["vqa", "caption"])
    checked = 0
    for e in entries:
        objects = scenes[Path(e["image"]).name]["objects"]
        if e["task"] == "caption":
            phrases = ", ".join("a " + " ".join(attributes_of(o)) for o in reversed(objects))
            assert caption_f1(e["expected"], phrases) == 1.0
            checked += 1
        elif e["kind"] == "query_color":
            assert e["expected"] in {o["color"] for o in objects}
            checked += 1
    assert checked > 30


def test_the_same_seed_gives_the_same_file_and_another_does_not(rendered: Path, tmp_path: Path) -> None:
    options = {"source": "clevr_style", "root": str(rendered), "requests": 48, "overlap": 0.5}
    build(tmp_path / "a", **options)
    build(tmp_path / "b", **options)
    build(tmp_path / "c", seed=1, **options)
    a, b, c = ((tmp_path / name / "workload.jsonl").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(("overlap", "sharing"), [(0.0, 1), (0.5, 3), (1.0, 6), (0.1, 1)])
def test_overlap_is_the_fraction_of_users_on_one_image(overlap: float, sharing: int) -> None:
    slots = plan(requests=60, users=6, overlap=overlap, tasks=["vqa"], questions_per_image=6, seed=4)
    rounds: dict[float, list[int | None]] = defaultdict(list)
    for slot in slots:
        rounds[slot.arrival_s].append(slot.image)
    assert len(rounds) == 10
    for images in rounds.values():
        counts = Counter(images)
        assert max(counts.values()) == sharing
        assert len(counts) == 6 - sharing + 1


def test_every_user_asks_once_a_round_and_tasks_come_equally_often() -> None:
    slots = plan(25, 4, 0.5, ["vqa", "caption"], 6, seed=0)
    for number in range(6):
        assert [s.user for s in slots if s.arrival_s == number] == [0, 1, 2, 3]
    assert [s.index for s in slots] == list(range(25))
    counts = Counter(s.task for s in slots)
    assert abs(counts["vqa"] - counts["caption"]) <= 1
    captioned = [(s.user, s.image) for s in slots if s.task == "caption"]
    assert len(set(captioned)) == len(captioned)
    assert image_count(slots) == len({s.image for s in slots})


def test_where_pictures_run_out_the_least_asked_about_are_asked_about_again() -> None:
    slots = plan(700, users=4, overlap=0.0, tasks=["vqa"], questions_per_image=10, seed=3)
    assert image_count(slots) == 72, "each of 4 users ends in the middle of a picture"
    place = places(slots, 70)
    assert Counter(place[slot.image] for slot in slots if slot.image is not None) == dict.fromkeys(
        range(70), 10
    )
    assert places(slots, 72) == {image: image for image in range(72)}


def test_a_rate_spaces_the_rounds() -> None:
    slots = plan(8, 4, 0.0, ["vqa"], 6, seed=0, rates_per_s=[16.0])
    assert [s.arrival_s for s in slots] == [0.0] * 4 + [0.25] * 4


def test_reviews_are_half_positive_and_none_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for i in range(60):
            label, length = ("pos" if i % 3 else "neg"), 30 if i % 2 else 5000
            file.write(json.dumps({"id": f"{i}", "label": label, "text": f"{i} " + "x" * length}) + "\n")
    entries = build(tmp_path / "run", source="imdb_file", root=str(path), requests=15)
    answers = Counter(e["expected"] for e in entries)
    assert abs(answers["positive"] - answers["negative"]) == 1
    assert all(len(e["text"]) < 100 and e["image"] is None for e in entries)
    assert len({e["sample_id"] for e in entries}) == 15
    with pytest.raises(ConfigError, match=r"offers 10 negative reviews of at most 4096 characters, 20 are"):
        build(tmp_path / "run", source="imdb_file", root=str(path), requests=40)


def test_long_reviews_keep_their_beginning_and_their_end(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    words = " ".join(["plain"] * 3000)
    rows = [
        {"id": f"{i}", "label": "pos" if i % 2 else "neg", "text": f"first {words} last"} for i in range(8)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"source": "imdb_file", "root": str(path), "requests": 8}
    with pytest.raises(ConfigError, match="offers 0"):
        build(tmp_path / "run", **options)
    for e in build(tmp_path / "run", fit_text=True, **options):
        assert e["text"].startswith("first plain")
        assert e["text"].endswith("plain last")
        assert len(e["text"]) < 3000


@pytest.mark.parametrize("source", ["clevr_style", "clevr_folder"])
def test_all_families_are_asked_equally_often(rendered: Path, tmp_path: Path, source: str) -> None:
    entries = build(
        tmp_path, source=source, root=str(rendered), requests=180, questions_per_image=9, families=["all"]
    )
    families = Counter(e["family"] for e in entries)
    assert len(families) == 9
    assert max(families.values()) - min(families.values()) <= 3
    said = Counter(e["expected"] for e in entries if e["expected"] in ("yes", "no"))
    assert abs(said["yes"] - said["no"]) <= 8


def test_the_control_shows_another_scene_to_every_question(rendered: Path, tmp_path: Path) -> None:
    options = {"source": "clevr_style", "root": str(rendered), "requests": 40, "questions_per_image": 2}
    config = parse_config({"control": "another_image", "workload": options}, "test")
    plain = build(tmp_path / "plain", **options)
    (tmp_path / "control").mkdir()
    build_workload(config, tmp_path / "control")
    swapped = [
        json.loads(line) for line in (tmp_path / "control" / "workload.jsonl").read_text().splitlines()
    ]
    for own, other in zip(plain, swapped, strict=True):
        assert own["text"] == other["text"]
        assert own["expected"] == other["expected"]
        assert own["image"] != other["image"]


def test_questions_of_a_file_are_taken_as_they_are(rendered: Path, tmp_path: Path) -> None:
    root = tmp_path / "clevr"
    (root / "images").mkdir(parents=True)
    names = [path.name for path in sorted((rendered / "images").iterdir())[:4]]
    rows = []
    for name in names:
        (root / "images" / name).symlink_to(rendered / "images" / name)
        line = {"image_filename": name, "answer": "yes", "template": "one_hop.json", "type": "exist"}
        rows += [{**line, "question": f"Is there {number}?"} for number in range(10)]
    (root / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    entries = build(
        tmp_path / "run", source="clevr_folder", root=str(root), requests=40, questions_per_image=10,
        families=["all"], questions="file",
    )  # fmt: skip
    assert {(Path(e["image"]).name, e["text"]) for e in entries} == {
        (row["image_filename"], row["question"]) for row in rows
    }
    assert {e["family"] for e in entries} == {"one_hop"}


def test_the_archives_as_they_are_unpacked(rendered: Path, tmp_path: Path) -> None:
    """CLEVR v1.0 by split, with its captions; the reviews of aclImdb."""
    clevr = tmp_path / "CLEVR_v1.0"
    (clevr / "images").mkdir(parents=True)
    (clevr / "scenes").mkdir()
    for split in ("train", "val"):
        (clevr / "images" / split).symlink_to(rendered / "images")
    (clevr / "scenes" / "CLEVR_val_scenes.json").write_bytes((rendered / "scenes.json").read_bytes())
    options = {"source": "clevr_folder", "root": str(clevr), "requests": 12, "tasks": ["vqa", "caption"]}
    entries = build(tmp_path / "run", **options)
    flat = build(tmp_path / "run", **{**options, "root": str(rendered)})
    assert [entry["text"] for entry in entries] == [entry["text"] for entry in flat]
    assert {entry["task"] for entry in entries} == {"vqa", "caption"}
    with pytest.raises(ConfigError, match=r"CLEVR_train_scenes\.json: no such file"):
        build(tmp_path / "run", **options, split="train")
    reviews = tmp_path / "aclImdb"
    for label in ("pos", "neg"):
        (reviews / "test" / label).mkdir(parents=True)
        for number in range(4):
            (reviews / "test" / label / f"{number}_1.txt").write_text(f"{label} {number}")
    entries = build(tmp_path / "run", source="imdb_file", root=str(reviews), requests=8)
    assert Counter(entry["expected"] for entry in entries) == {"positive": 4, "negative": 4}


def test_a_users_own_requests(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "own.png")
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"text": "what color is it?", "image": "own.png", "user": 2, "expected": "black"}\n\n'
        '{"task": "caption", "image": "own.png", "arrival_s": 0.5}\n'
        '{"task": "text_classification", "text": "a fine film"}\n'
    )
    entries = build(tmp_path / "run", source="requests_file", root=str(path))
    assert [(e["index"], e["user"], e["task"]) for e in entries] == [
        (0, 2, "vqa"), (1, 2, "text_classification"), (2, 1, "caption"),
    ]  # fmt: skip
    assert entries[0]["image"] == str(tmp_path / "own.png")
    assert entries[1]["expected"] is None
    limited = build(tmp_path / "run", source="requests_file", root=str(path), limit=1)
    assert len(limited) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"task": "poetry", "text": "x"}', "task: 'poetry' is none of vqa"),
        ('{"text": "x", "image": "gone.png"}', "image: gone.png: cannot be read"),
        ('{"text": "x", "image": "broken.png"}', "broken.png: image: not a PNG"),
        ('{"text": "x"}', "image: vqa needs one"),
        ('{"task": "text_classification"}', "text: text_classification needs one"),
        (json.dumps({"text": "x" * 5000, "image": "own.png"}), "text: 5000 characters, at most 4096"),
        ('{"text": "x", "image": "own.png", "user": 4}', "user: 4 is none of 0 to 3"),
        ('{"text": "x", "image": "own.png", "usr": 1}', "unknown field 'usr'"),
        ('{"text": "x", "image": "own.png", "arrival_s": -1}', "arrival_s: expected seconds"),
        ("{", "not JSON"),
        ("[]", "expected an object"),
    ],
)
def test_bad_requests_are_refused_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "own.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    path = tmp_path / "mine.jsonl"
    path.write_text('{"text": "x", "image": "own.png"}\n' + line + "\n")
    with pytest.raises(ConfigError) as caught:
        build(tmp_path / "run", source="requests_file", root=str(path))
    assert str(caught.value).startswith(f"{path} line 2: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        ({"source": "requests_file"}, "workload.root: source 'requests_file' needs one"),
        ({"source": "requests_file", "root": "/no/such"}, "/no/such: no such file"),
        ({"source": "clevr_folder", "root": "/no/such"}, "workload.root: /no/such: no such folder"),
        ({"source": "imdb_file", "root": "/no/such"}, "workload.root: /no/such: no such file"),
        ({"tasks": ["text_classification"]}, "source 'clevr_style' serves vqa, caption"),
        ({"tasks": []}, "workload.tasks: empty"),
        ({"families": ["nine_hop"]}, "workload.families: 'nine_hop' is none of zero_hop"),
    ],
)
def test_bad_workload_keys(tmp_path: Path, workload: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, **workload)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_that_runs_out_of_questions_is_named(rendered: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"different questions: lower workload\.requests"):
        build(
            tmp_path,
            source="clevr_style",
            root=str(rendered),
            limit=1,
            requests=900,
            questions_per_image=1000,
        )
