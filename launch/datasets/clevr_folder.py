"""Read a folder in CLEVR's layout: `images/`, `scenes.json`, `questions.jsonl` (own or real CLEVR).

A question's `template` names its family ('zero_hop.json'), its `type` the kind ('query_color').
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, VALUES
from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import read_json_lines, text_field
from launch.datasets.sample import Sample

QUESTIONS_FILE = "questions.jsonl"
SCENES_FILE = "scenes.json"
IMAGES_FOLDER = "images"


def read_questions(
    root: Path, families: Collection[str] | None = None, limit: int | None = None
) -> list[Sample]:
    """The questions of a folder in file order: all, or those of some families; at most `limit`."""
    path = _folder(root) / QUESTIONS_FILE
    images: dict[str, Path] = {}
    samples: list[Sample] = []
    for number, record in read_json_lines(path):
        if limit is not None and len(samples) >= limit:
            break
        place = f"line {number}"
        family = text_field(path, place, record, "template").removesuffix(".json")
        if families is not None and family not in families:
            continue
        name = text_field(path, place, record, "image_filename")
        if name not in images:
            images[name] = _image(root, path, place, name)
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


def read_captions(root: Path, limit: int | None = None) -> list[Sample]:
    """One caption for each scene of a folder, in file order."""
    path = root / SCENES_FILE
    return [
        Sample(
            task="caption",
            image=_image(root, path, f"scene {position}", scene["image_filename"]),
            text="",
            answer=caption(scene),
            kind="caption",
            family="scene",
            sample_id=scene["image_filename"],
        )
        for position, scene in enumerate(read_scenes(root)[:limit])
    ]


def read_scenes(root: Path) -> list[Scene]:
    """The scene graphs of a folder, each checked in full."""
    path = _folder(root) / SCENES_FILE
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected scene graphs in CLEVR's format")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: expected JSON in UTF-8 ({error})") from None
    scenes = content.get("scenes") if isinstance(content, dict) else None
    if not isinstance(scenes, list):
        raise DatasetError(f"{path}: scenes: expected a list, found {type(scenes).__name__}")
    return [_scene(path, f"scene {position}", scene) for position, scene in enumerate(scenes)]


def _folder(root: Path) -> Path:
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected one with {IMAGES_FOLDER}/, {QUESTIONS_FILE}")
    return root


def _image(root: Path, source: Path, place: str, name: str) -> Path:
    """The path of an image, which must lie in the images folder itself."""
    if Path(name).name != name:
        raise DatasetError(f"{source}: {place}: image_filename: expected a plain file name, found {name!r}")
    path = root / IMAGES_FOLDER / name
    if not path.is_file():
        raise DatasetError(f"{source}: {place}: image_filename: no such image {path}")
    return path


def _scene(path: Path, place: str, scene: object) -> Scene:
    record = _mapping(path, place, "", scene)
    text_field(path, place, record, "image_filename")
    objects = record.get("objects")
    if not isinstance(objects, list) or not objects:
        raise DatasetError(f"{path}: {place}: objects: expected a list that is not empty")
    for index, item in enumerate(objects):
        _check_object(path, place, f"objects[{index}]", item)
    _check_relationships(path, place, record.get("relationships"), len(objects))
    return cast(Scene, record)


def _check_object(path: Path, place: str, field: str, item: object) -> None:
    record = _mapping(path, place, field, item)
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
    record = _mapping(path, place, "relationships", table)
    for direction in DIRECTIONS:
        rows = record.get(direction)
        if (
            not isinstance(rows, list)
            or len(rows) != count
            or not all(_are_indices(row, count) for row in rows)
        ):
            wanted = f"for each of {count} objects a list of indices below {count}"
            raise DatasetError(f"{path}: {place}: relationships.{direction}: expected {wanted}")


def _mapping(path: Path, place: str, field: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        where = f"{place}: {field}" if field else place
        raise DatasetError(f"{path}: {where}: expected an object, found {type(value).__name__}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_indices(row: object, count: int) -> bool:
    return isinstance(row, list) and all(type(index) is int and 0 <= index < count for index in row)
