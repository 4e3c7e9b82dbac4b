"""Read movie reviews as JSON lines (`id`, `label`, `text`), plain or gzipped.

The labels are those of the Large Movie Review Dataset (Maas et al. 2011), `pos` and `neg`; answers are words.
"""

from pathlib import Path
from typing import Final

from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import read_json_lines, text_field
from launch.datasets.sample import Sample

ANSWERS: Final = {"pos": "positive", "neg": "negative"}


def read_reviews(path: Path, limit: int | None = None) -> list[Sample]:
    """The reviews of a file in its order; line breaks that the corpus writes as HTML become spaces."""
    samples: list[Sample] = []
    seen: dict[str, int] = {}
    for number, record in read_json_lines(path):
        if limit is not None and len(samples) >= limit:
            break
        place = f"line {number}"
        review_id = text_field(path, place, record, "id")
        if review_id in seen:
            raise DatasetError(f"{path}: {place}: id: {review_id!r} was used on line {seen[review_id]}")
        seen[review_id] = number
        label = record.get("label")
        if not isinstance(label, str) or label not in ANSWERS:
            raise DatasetError(f"{path}: {place}: label: expected {' or '.join(ANSWERS)}, found {label!r}")
        samples.append(
            Sample(
                task="text_classification",
                image=None,
                text=" ".join(text_field(path, place, record, "text").replace("<br />", " ").split()),
                answer=ANSWERS[label],
                kind="sentiment",
                family="imdb",
                sample_id=review_id,
            )
        )
    return samples
