"""Render a data set in CLEVR's layout: `images/*.png`, `scenes.json`, `questions.jsonl`.

A build can be killed at any time and started again: an image is either whole or absent, and `scenes.jsonl`
grows by a line for each finished image, so that a trainer may use what is there (`iter_ready`).
`dataset.json` records what was asked for; building something else into the same folder is refused, and so is
a second build while one is going on.
"""

import importlib.util
import json
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from PIL import Image
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from launch.datasets.clevr_style.balance import balanced_questions
from launch.datasets.clevr_style.programs import to_json
from launch.datasets.clevr_style.questions import FAMILIES, Family, Question
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, Scene, image_name, sample_scene
from launch.datasets.errors import DatasetError
from launch.folder_lock import alone_in

FORMAT: Final = 2
CONFIG_FILE: Final = "dataset.json"
SCENE_LOG: Final = "scenes.jsonl"
SCENES_FILE: Final = "scenes.json"
QUESTIONS_FILE: Final = "questions.jsonl"


@dataclass(frozen=True)
class BuildConfig:
    """What determines every byte of a data set, apart from how many images there are."""

    split: str
    seed: int
    width: int
    height: int
    samples: int
    format: int = FORMAT


def build(
    root: Path,
    split: str,
    count: int,
    seed: int = 0,
    resolution: tuple[int, int] = DEFAULT_RESOLUTION,
    samples: int = 4,
    workers: int = 2,
    nice: int = 0,
    questions_per_scene: int = 10,
    families: Sequence[Family] = FAMILIES,
    wait: bool = False,
) -> None:
    """Render scenes 0 .. count - 1 of a split; continues a stopped build, or grows a finished one.

    `resolution` is (width, height) in pixels, `samples` are paths per pixel, `nice` lowers the priority of
    the workers. Images that are there beyond `count` stay. `wait` for another build in the folder to end.

    Raises:
        DatasetError: what cannot be built, or a folder begun otherwise. LaunchError: another build is in it.
    """
    config = BuildConfig(split, seed, *resolution, samples)
    _check(root, config, count, workers)
    try:
        (root / "images").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be written ({error.strerror})") from None
    with alone_in(root, wait):
        _claim(root, config)
        scenes = _rendered(root, config, count, workers, nice)
        info = {"split": split, "version": str(FORMAT)}
        _write(root / SCENES_FILE, json.dumps({"info": info, "scenes": scenes}))
        questions = balanced_questions(scenes, seed, questions_per_scene, families)
        _write(root / QUESTIONS_FILE, "".join(json.dumps(question_record(q)) + "\n" for q in questions))


def _rendered(root: Path, config: BuildConfig, count: int, workers: int, nice: int) -> list[Scene]:
    """All scenes of a folder in order, when those that were missing are rendered."""
    images = root / "images"
    for left_over in images.glob("*.tmp"):
        left_over.unlink()
    done = {scene["image_index"]: scene for scene, _ in iter_ready(root)}
    _rewrite_log(root, done.values())
    todo = [index for index in range(count) if index not in done]
    with (root / SCENE_LOG).open("a", encoding="utf-8") as log:
        for scene in _progress(_render_all(images, config, todo, workers, nice), count, count - len(todo)):
            done[scene["image_index"]] = scene
            log.write(json.dumps(scene) + "\n")
            log.flush()
    return [done[index] for index in sorted(done)]


def question_record(question: Question) -> dict[str, Any]:
    """A line of `questions.jsonl`, in the fields of CLEVR's question generator, and the program."""
    return {
        "image_filename": question.image_filename,
        "question": question.question,
        "answer": question.answer,
        "template": f"{question.family}.json",
        "question_family_index": FAMILIES.index(question.family),
        "type": question.kind,
        "program": to_json(question.program),
    }


def iter_ready(root: Path) -> Iterator[tuple[Scene, Path]]:
    """(scene, image path) of each finished image, in that order; the build may still be running."""
    log = root / SCENE_LOG
    if not log.exists():
        return
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return  # being written, or cut off by a kill
            scene: Scene = json.loads(line)
            path = root / "images" / scene["image_filename"]
            if path.exists():
                yield scene, path


def _check(root: Path, config: BuildConfig, count: int, workers: int) -> None:
    """Refuse what cannot be built before anything is written."""
    if not config.split.isidentifier():
        raise DatasetError(f"{root}: split: expected a name of letters, digits and _, found {config.split!r}")
    asked = {
        "count": (count, 1),
        "seed": (config.seed, 0),
        "width": (config.width, 8),
        "height": (config.height, 8),
        "samples": (config.samples, 1),
        "workers": (workers, 1),
    }
    for field, (value, least) in asked.items():
        if value < least:
            raise DatasetError(f"{root}: {field}: expected at least {least}, found {value}")
    if importlib.util.find_spec("mitsuba") is None:
        raise DatasetError(
            f"{root}: rendering needs the package mitsuba, expected 'm4sc[train]' to be installed"
        )


def _claim(root: Path, config: BuildConfig) -> None:
    """Record the configuration, or check that the folder was begun with the same one."""
    path = root / CONFIG_FILE
    if not path.exists():
        _write(path, json.dumps(asdict(config), indent=2) + "\n")
        return
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}: not JSON ({error})") from None
    for field, wanted in asdict(config).items():
        found = recorded.get(field) if isinstance(recorded, dict) else None
        if found != wanted:
            raise DatasetError(f"{root}: {field} is {found!r} in {CONFIG_FILE}, this build wants {wanted!r}")


def _rewrite_log(root: Path, scenes: Iterable[Scene]) -> None:
    """Drop a half-written last line, and lines whose image is gone."""
    _write(root / SCENE_LOG, "".join(json.dumps(scene) + "\n" for scene in scenes))


def _render_all(
    images: Path, config: BuildConfig, todo: list[int], workers: int, nice: int
) -> Iterator[Scene]:
    if not todo:
        return
    context = multiprocessing.get_context("spawn")  # the renderer's threads do not survive a fork
    with context.Pool(min(workers, len(todo)), _start_worker, (nice,)) as pool:
        yield from pool.imap_unordered(partial(_render_one, images, config), todo, chunksize=4)


def _start_worker(nice: int) -> None:
    import drjit

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    os.nice(nice)
    drjit.set_thread_count(1)


def _render_one(images: Path, config: BuildConfig, index: int) -> Scene:
    # imported here: the renderer is an optional dependency, and reading a data set must not need it
    from launch.datasets.clevr_style.render import render

    resolution = (config.width, config.height)
    scene = sample_scene(config.seed, config.split, index, resolution)
    path = images / image_name(config.split, index)
    partial_path = path.with_suffix(".png.tmp")
    Image.fromarray(render(scene, resolution, config.samples)).save(partial_path, format="PNG")
    partial_path.replace(path)
    return scene


def _progress(scenes: Iterator[Scene], total: int, completed: int) -> Iterator[Scene]:
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("rendering", total=total, completed=completed)
        for scene in scenes:
            yield scene
            progress.advance(task)


def _write(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    partial_path = path.with_name(path.name + ".tmp")
    partial_path.write_text(text, encoding="utf-8")
    partial_path.replace(path)
