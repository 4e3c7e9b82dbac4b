"""From deliveries back to questions: each question of a workload with its own answer.

A request is one delivery. Where its questions were asked at the UE it has several answers, else one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]


def each_question(workload: Iterable[Fields], ends: Mapping[int, Fields]) -> Iterator[tuple[Fields, Fields]]:
    """(entry, terminal event) of every question, captions and texts to classify included.

    `ends` has the terminal events by workload index. The entry has the question's own text, expected answer,
    kind, family and sample id; the event its own `text` and `control_text`, None where the request ended
    without an answer to it; it is empty for a request without an end.
    """
    for entry in workload:
        end = ends.get(entry["index"], {})
        answers = [(end.get("text"), end.get("control_text")), *end.get("later", ())]
        for place, question in enumerate(entry.get("questions") or [{}]):
            text, control = answers[place] if place < len(answers) else (None, None)
            yield {**entry, **question}, {**end, "text": text, "control_text": control} if end else end
