"""One item of any data set: what a user asks, about which image, and what the right answer is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Task = Literal["vqa", "caption", "text_classification"]


@dataclass(frozen=True, slots=True)
class Sample:
    """`text` is the question (vqa), the text to classify, or empty (caption); classification has no `image`.

    `kind` and `family` group results: 'query_color' of 'zero_hop'; 'caption' of 'scene'; 'sentiment' of
    'imdb'. `sample_id` is unique within a data set and the same on every reading.
    """

    task: Task
    image: Path | None
    text: str
    answer: str
    kind: str
    family: str
    sample_id: str
