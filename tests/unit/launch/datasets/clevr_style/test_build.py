import json
from pathlib import Path

import pytest
from PIL import Image

from launch.datasets.clevr_folder import read_captions, read_questions, read_scenes
from launch.datasets.clevr_style.build import build, iter_ready
from launch.datasets.clevr_style.questions import FAMILIES
from launch.datasets.clevr_style.scene import sample_scene
from launch.datasets.errors import DatasetError

RESOLUTION = (48, 32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mitsuba")
    folder = tmp_path_factory.mktemp("rendered") / "set"
    build(folder, "test", 2, seed=4, resolution=RESOLUTION, samples=1, workers=1, questions_per_scene=12)
    return folder


def test_a_build_has_clevrs_layout(root: Path) -> None:
    assert [scene["image_index"] for scene in read_scenes(root)] == [0, 1]
    assert read_scenes(root)[1] == sample_scene(4, "test", 1, RESOLUTION)
    for sample in (*read_questions(root), *read_captions(root)):
        assert sample.image is not None
        with Image.open(sample.image) as image:
            assert image.size == RESOLUTION
            assert image.mode == "RGB"
    assert {path.name for path in root.iterdir()} == {
        "images",
        "scenes.json",
        "scenes.jsonl",
        "questions.jsonl",
        "dataset.json",
    }


def test_question_lines_have_clevrs_fields(root: Path) -> None:
    lines = (root / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        record = json.loads(line)
        assert record["template"].removesuffix(".json") in FAMILIES
        wanted = {
            "image_filename",
            "question",
            "answer",
            "template",
            "question_family_index",
            "type",
            "program",
        }
        assert set(record) == wanted


def test_a_stopped_build_continues(root: Path) -> None:
    images = sorted((root / "images").iterdir())
    kept = images[0].read_bytes()
    lost = images[1].read_bytes()
    modified = images[0].stat().st_mtime_ns
    images[1].unlink()
    (root / "images" / "half.png.tmp").write_bytes(lost[:50])
    with (root / "scenes.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"image_index": 7, "objec')
    assert [path for _, path in iter_ready(root)] == [images[0]]
    build(root, "test", 2, seed=4, resolution=RESOLUTION, samples=1, workers=1)
    assert sorted((root / "images").iterdir()) == images
    assert images[0].read_bytes() == kept
    assert images[0].stat().st_mtime_ns == modified
    assert images[1].read_bytes() == lost
    assert len(list(iter_ready(root))) == 2


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("split", {"split": "other"}),
        ("seed", {"seed": 5}),
        ("width", {"resolution": (96, 32)}),
        ("samples", {"samples": 2}),
    ],
)
def test_another_build_into_the_same_folder_is_refused(
    root: Path, field: str, change: dict[str, object]
) -> None:
    wanted = {"split": "test", "count": 2, "seed": 4, "resolution": RESOLUTION, "samples": 1, **change}
    with pytest.raises(DatasetError, match=rf"^{root}: {field} is .*dataset\.json") as caught:
        build(root, **wanted)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("split", {"split": "../x"}),
        ("count", {"count": 0}),
        ("samples", {"samples": 0}),
        ("seed", {"seed": -1}),
    ],
)
def test_a_build_that_cannot_be_is_refused_at_once(
    tmp_path: Path, field: str, wanted: dict[str, object]
) -> None:
    with pytest.raises(DatasetError, match=f"{field}: expected"):
        build(tmp_path / "new", **{"split": "test", "count": 1, **wanted})  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_nothing_is_ready_in_an_empty_folder(tmp_path: Path) -> None:
    assert list(iter_ready(tmp_path)) == []
