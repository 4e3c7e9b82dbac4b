"""A few questions of a run to look at, evenly spaced over the workload and not picked by result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.questions import each_question
from launch.scoring import score
from launch.thumbnails import FOLDER, write_thumbnail
from launch.verdict.requests import STATE_OF

MAX_SAMPLES = 12


def sample_requests(
    workload: Sequence[Mapping[str, Any]], ends: Mapping[int, Mapping[str, Any]], run_dir: Path
) -> list[dict[str, Any]]:
    """At most `MAX_SAMPLES` questions with answer and thumbnail (a path inside the run folder)."""
    asked = list(each_question(workload, ends))
    count = min(MAX_SAMPLES, len(asked))
    places = sorted({round(i * (len(asked) - 1) / max(1, count - 1)) for i in range(count)})
    thumbnails: dict[str, str | None] = {}
    found: list[dict[str, Any]] = []
    for place in places:
        entry, end = asked[place]
        image = entry.get("image")
        if image is not None and image not in thumbnails:
            thumbnails[image] = _thumbnail(Path(image), run_dir, len(thumbnails))
        text, expected = end.get("text"), entry.get("expected")
        found.append(
            {
                "index": entry["index"],
                "user": entry["user"],
                "task": entry["task"],
                "kind": entry.get("kind", ""),
                "text": entry.get("text", ""),
                "answer": text,
                "control": end.get("control_text"),
                "expected": expected,
                "score": None if text is None or expected is None else score(entry["task"], text, expected),
                "state": STATE_OF.get(end.get("event", ""), "unresolved"),
                "reason": end.get("reason", ""),
                "thumbnail": None if image is None else thumbnails[image],
            }
        )
    return found


def _thumbnail(image: Path, run_dir: Path, number: int) -> str | None:
    """A path inside the run folder, so that the report can be made again from that alone."""
    target = Path(FOLDER) / f"{number:02d}.jpg"
    return str(target) if write_thumbnail(image, run_dir / target) else None
