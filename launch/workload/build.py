"""Write a run's `workload.jsonl`: where the pictures and texts come from, and how they fill the plan.

One JSON object a line: index, arrival_s, user, task, text, image (absolute path or null), expected, kind,
family, sample_id. With `question_at: ue` a line about an image has `question_at` and `questions`, each with
its own text, expected, kind, family and sample_id. The same configuration on the same data gives the same
file, byte for byte.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.datasets.errors import DatasetError
from launch.workload import clevr_folder, clevr_style, reviews
from launch.workload.deliveries import as_deliveries
from launch.workload.pictures import Pictures
from launch.workload.plan import IMAGE_TASKS, Slot, image_count, places, plan, poisson_plan
from launch.workload.requests_file import read_requests
from shared.config import RunConfig
from shared.config_file import ConfigError
from shared.rng import derive_seed, generator

Progress = Callable[[str], None]


def build_workload(config: RunConfig, run_dir: Path, progress: Progress | None = None) -> int:
    """Write `run_dir/workload.jsonl` and return the number of requests; `progress` gets lines for people.

    Raises:
        ConfigError: one line that names the key or file and what was expected; nothing is written then.
    """
    say = progress or (lambda line: None)
    try:
        entries = _entries(config, say)
    except DatasetError as error:
        raise ConfigError(f"workload.root: {error}") from None
    path = run_dir / "workload.jsonl"
    partial = path.with_name(path.name + ".tmp")
    try:
        partial.write_text(
            "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), encoding="utf-8"
        )
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
    asked = sum(len(entry.get("questions", ())) for entry in entries)
    there = f", {asked} questions asked at the UEs" if asked else ""
    say(f"workload: {len(entries)} requests of {config.users} users{there}")
    return len(entries)


def _entries(config: RunConfig, say: Progress) -> list[dict[str, Any]]:
    workload = config.workload
    at_ue = config.question_at == "ue"
    if workload.source == "requests_file":
        entries = read_requests(_root(config), config)
        return as_deliveries(entries, [entry["image"] for entry in entries]) if at_ue else entries
    slots = _slots(config)
    if workload.source == "imdb_file":
        return reviews.fill(_root(config), slots, config)
    needed = image_count(slots)
    if workload.limit is not None:
        needed = min(needed, workload.limit)
    pictures = (
        clevr_style.pictures(config, needed, say)
        if workload.source == "clevr_style"
        else clevr_folder.pictures(_root(config), config)
    )
    entries = _fill(slots, pictures, config)
    return as_deliveries(entries, [slot.image for slot in slots]) if at_ue else entries


def _slots(config: RunConfig) -> list[Slot]:
    workload, tasks = config.workload, _tasks(config)
    if workload.arrivals == "poisson":
        return poisson_plan(
            workload.requests,
            config.users,
            tasks,
            workload.questions_per_image,
            config.seed,
            workload.rates_per_s,
        )
    return plan(
        requests=workload.requests,
        users=config.users,
        overlap=workload.overlap,
        tasks=tasks,
        questions_per_image=workload.questions_per_image,
        seed=config.seed,
        rates_per_s=workload.rates_per_s,
    )


def _root(config: RunConfig) -> Path:
    if config.workload.root is None:
        raise ConfigError(f"workload.root: source {config.workload.source!r} needs one")
    return Path(config.workload.root).expanduser()


def _tasks(config: RunConfig) -> Sequence[str]:
    """The tasks that the source can serve: all that are asked for, or an error."""
    served = ("text_classification",) if config.workload.source == "imdb_file" else IMAGE_TASKS
    tasks = config.workload.tasks
    if config.workload.source == "imdb_file" and "tasks" not in config.workload.model_fields_set:
        return served
    for task in tasks:
        if task not in served:
            raise ConfigError(
                f"workload.tasks: source {config.workload.source!r} serves {', '.join(served)}, not {task!r}"
            )
    if not tasks:
        raise ConfigError(f"workload.tasks: empty, expected some of {', '.join(served)}")
    return tasks


def _fill(slots: Sequence[Slot], pictures: Pictures, config: RunConfig) -> list[dict[str, Any]]:
    """Give every slot its picture, and its question or caption."""
    order = generator(config.seed, "workload", "pictures").permutation(len(pictures.paths)).tolist()
    place = places(slots, len(order))
    shown: Mapping[int, int] = {
        slot.index: order[place[slot.image]] for slot in slots if slot.image is not None
    }
    asking = [slot for slot in slots if slot.task == "vqa"]
    rnd = random.Random(derive_seed(config.seed, "workload", "questions"))
    questions = pictures.questions([shown[slot.index] for slot in asking], rnd)
    question_of = {slot.index: question for slot, question in zip(asking, questions, strict=True)}
    swapped = config.control == "another_image"
    if swapped and len(order) < 2:
        raise ConfigError("control: another_image needs at least two images")
    entries: list[dict[str, Any]] = []
    for slot in slots:
        picture = shown[slot.index]
        # The control sends the next picture of the order, so every question meets another scene.
        sent = order[(order.index(picture) + 1) % len(order)] if swapped else picture
        path = pictures.paths[sent]
        question = question_of.get(slot.index)
        entries.append(
            {
                "index": slot.index,
                "arrival_s": slot.arrival_s,
                "user": slot.user,
                "task": slot.task,
                "text": question.question if question else "",
                "image": str(path.resolve()),
                "expected": question.answer if question else pictures.caption(picture),
                "kind": question.kind if question else "caption",
                "family": question.family if question else "scene",
                "sample_id": f"{path.name}#{slot.index}" if question else path.name,
            }
        )
    return entries
