"""Read CLEVR, own or real, in either of two layouts: a flat folder, or that of the CLEVR v1.0 archive.

    ROOT/images/*.png   ROOT/scenes.json                    ROOT/questions.jsonl
    ROOT/images/val/    ROOT/scenes/CLEVR_val_scenes.json   ROOT/questions/CLEVR_val_questions.json

A flat folder is one split; of an archive `split` chooses one, and 'heldout' is its `val`. A flat folder's
question names its family by `template` ('zero_hop.json') and its kind by `type` ('query_color'); the
archive's questions name neither, and it is read off their programs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.programs import Program, ProgramError, from_json
from launch.datasets.clevr_style.questions import HOPS, Family
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, VALUES
from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import list_field, object_field, read_json, read_json_lines, text_field
from launch.datasets.sample import Sample

QUESTIONS_FILE = "questions.jsonl"
SCENES_FILE = "scenes.json"
IMAGES_FOLDER = "images"
HELDOUT: Final = "heldout"
_HELDOUT_OF_ARCHIVE: Final = "val"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one split's parts lie: a folder of images and two files."""

    images: Path
    scenes: Path
    questions: Path


def find_layout(root: Path, split: str = HELDOUT) -> Layout:
    """The layout of what lies at `root`. Raises `DatasetError`; the files themselves may be missing."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected one with {IMAGES_FOLDER}/, {SCENES_FILE}")
    if not _is_archive(root):
        return Layout(root / IMAGES_FOLDER, root / SCENES_FILE, root / QUESTIONS_FILE)
    name = _HELDOUT_OF_ARCHIVE if split == HELDOUT else split
    images = root / IMAGES_FOLDER
    splits = sorted(path.name for path in images.iterdir() if path.is_dir()) if images.is_dir() else []
    if name not in splits:
        there = " or ".join(splits) or "a split's folder, found none"
        raise DatasetError(f"{images}: split {name!r}: expected {there}")
    return Layout(
        images / name,
        root / "scenes" / f"CLEVR_{name}_scenes.json",
        root / "questions" / f"CLEVR_{name}_questions.json",
    )


def holds_scenes(root: Path) -> bool:
    """Whether there is CLEVR in one of its layouts at `root`."""
    return (root / SCENES_FILE).is_file() or _is_archive(root)


def _is_archive(root: Path) -> bool:
    return (root / "scenes").is_dir() or (root / "questions").is_dir()


def read_questions(
    root: Path, families: Collection[str] | None = None, limit: int | None = None, split: str = HELDOUT
) -> list[Sample]:
    """The questions of a split in file order: all, or those of some families; at most `limit`."""
    layout = find_layout(root, split)
    path = layout.questions
    images: dict[str, Path] = {}
    samples: list[Sample] = []
    for number, (place, record) in enumerate(_question_records(path), 1):
        if limit is not None and len(samples) >= limit:
            break
        family = text_field(path, place, record, "template").removesuffix(".json")
        if families is not None and family not in families:
            continue
        name = text_field(path, place, record, "image_filename")
        if name not in images:
            images[name] = _image(layout, path, place, name)
        samples.append(
            Sample(
                task="vqa",
                image=images[name],
                text=text_field(path, place, record, "question"),
                answer=text_field(path, place, record, "answer"),
                kind=text_field(path, place, record, "type"),
                family=family,
                sample_id=f"{name}#{number}",
            )
        )
    return samples


def read_captions(root: Path, limit: int | None = None, split: str = HELDOUT) -> list[Sample]:
    """One caption for each scene of a split, in file order."""
    layout = find_layout(root, split)
    return [
        Sample(
            task="caption",
            image=_image(layout, layout.scenes, f"scene {position}", scene["image_filename"]),
            text="",
            answer=caption(scene),
            kind="caption",
            family="scene",
            sample_id=scene["image_filename"],
        )
        for position, scene in enumerate(read_scenes(root, split)[:limit])
    ]


def read_scenes(root: Path, split: str = HELDOUT) -> list[Scene]:
    """The scene graphs of a split, each checked in full."""
    path = find_layout(root, split).scenes
    scenes = list_field(path, read_json(path, "scene graphs in CLEVR's format"), "scenes")
    return [_scene(path, f"scene {position}", scene) for position, scene in enumerate(scenes)]


def _question_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place in the file, record with `template` and `type`) of each question."""
    if path.suffix == ".jsonl":
        for number, record in read_json_lines(path):
            yield f"line {number}", record
        return
    questions = list_field(path, read_json(path, "questions in CLEVR's format"), "questions")
    for position, value in enumerate(questions):
        place = f"question {position}"
        record = object_field(path, place, "", value)
        try:
            program = from_json(record.get("program") or [])
            yield place, {**record, "template": family_of(program), "type": program[-1].function}
        except (ProgramError, TypeError, IndexError) as error:
            raise DatasetError(f"{path}: {place}: program: expected CLEVR's functions ({error})") from None


def family_of(program: Program) -> Family:
    """The family of CLEVR's templates that a program was made from, by the functions in it."""
    functions = [node.function for node in program]
    last = functions[-1]
    if last in ("equal_integer", "less_than", "greater_than"):
        return "compare_integer"
    if last.startswith("equal_"):
        return "comparison"
    if any(function.startswith("same_") for function in functions):
        return "same_relate"
    if "intersect" in functions:
        return "single_and"
    if "union" in functions:
        return "single_or"
    hops = functions.count("relate")
    for family, relations in HOPS.items():
        if relations == hops:
            return family
    raise ProgramError(f"{hops} relations one after the other")


def _image(layout: Layout, source: Path, place: str, name: str) -> Path:
    """The path of an image, which must lie in the images folder itself."""
    if Path(name).name != name:
        raise DatasetError(f"{source}: {place}: image_filename: expected a plain file name, found {name!r}")
    path = layout.images / name
    if not path.is_file():
        raise DatasetError(f"{source}: {place}: image_filename: no such image {path}")
    return path


def _scene(path: Path, place: str, scene: object) -> Scene:
    record = object_field(path, place, "", scene)
    text_field(path, place, record, "image_filename")
    objects = record.get("objects")
    if not isinstance(objects, list) or not objects:
        raise DatasetError(f"{path}: {place}: objects: expected a list that is not empty")
    for index, item in enumerate(objects):
        _check_object(path, place, f"objects[{index}]", item)
    _check_relationships(path, place, record.get("relationships"), len(objects))
    return cast(Scene, record)


def _check_object(path: Path, place: str, field: str, item: object) -> None:
    record = object_field(path, place, field, item)
    for attribute in ATTRIBUTES:
        if record.get(attribute) not in VALUES[attribute]:
            wanted = ", ".join(VALUES[attribute])
            found = record.get(attribute)
            raise DatasetError(
                f"{path}: {place}: {field}.{attribute}: expected one of {wanted}, found {found!r}"
            )
    for name in ("3d_coords", "pixel_coords"):
        numbers = record.get(name)
        if not isinstance(numbers, list) or len(numbers) != 3 or not all(map(_is_number, numbers)):
            raise DatasetError(f"{path}: {place}: {field}.{name}: expected three numbers, found {numbers!r}")


def _check_relationships(path: Path, place: str, table: object, count: int) -> None:
    record = object_field(path, place, "relationships", table)
    for direction in DIRECTIONS:
        rows = record.get(direction)
        if (
            not isinstance(rows, list)
            or len(rows) != count
            or not all(_are_indices(row, count) for row in rows)
        ):
            wanted = f"for each of {count} objects a list of indices below {count}"
            raise DatasetError(f"{path}: {place}: relationships.{direction}: expected {wanted}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_indices(row: object, count: int) -> bool:
    return isinstance(row, list) and all(type(index) is int and 0 <= index < count for index in row)
