"""With `question_at: ue`: the same requests, as images to deliver and questions to ask where they arrive.

All questions of a user about one image hang on one delivery, which comes when the first of them would have.
Users, images, questions and sample ids stay as they are, so a run of either kind can be compared with the
other question by question.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from shared.config_file import ConfigError
from shared.wire.messages import MAX_QUESTIONS

QUESTION_FIELDS = ("text", "expected", "kind", "family", "sample_id")


def as_deliveries(entries: Sequence[dict[str, Any]], images: Sequence[Hashable]) -> list[dict[str, Any]]:
    """Workload entries with the questions of one user about one image (as `images` names it) in one entry.

    Captions and texts to classify stay entries of their own; the index counts the new entries.

    Raises:
        ConfigError: nothing is asked about an image, or more than `MAX_QUESTIONS` about one.
    """
    found: list[dict[str, Any]] = []
    by_image: dict[tuple[int, Hashable], dict[str, Any]] = {}
    for entry, image in zip(entries, images, strict=True):
        asked = {name: entry[name] for name in QUESTION_FIELDS}
        delivery = by_image.get((entry["user"], image)) if entry["task"] == "vqa" else None
        if delivery is not None:
            delivery["questions"].append(asked)
            continue
        new = {**entry, "index": len(found)}
        if entry["task"] == "vqa":
            new = {name: value for name, value in new.items() if name not in QUESTION_FIELDS}
            new |= {"text": "", "question_at": "ue", "questions": [asked]}
            by_image[entry["user"], image] = new
        found.append(new)
    most = max((len(delivery["questions"]) for delivery in by_image.values()), default=0)
    if not most:
        raise ConfigError("question_at: 'ue' needs questions about images (task vqa), the workload has none")
    if most > MAX_QUESTIONS:
        raise ConfigError(
            f"question_at: 'ue' asks at most {MAX_QUESTIONS} questions a user about one image, not {most}: "
            "lower workload.questions_per_image"
        )
    return found
