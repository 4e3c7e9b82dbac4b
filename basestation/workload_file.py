"""The workload file of a run, and the image files it names."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from basestation.image_door import BadInput
from shared.config import LimitsConfig


class WorkloadError(ValueError):
    """A workload file that cannot be used; the message is one line that names file and line."""


@dataclass(frozen=True, slots=True)
class WorkloadRequest:
    """What the base station needs of one line of the workload; the rest of the line is for scoring.

    With `question_at_ue` the line's questions are the UE's to ask: they are not read here, `text` is empty.
    """

    index: int
    arrival_s: float
    user: int
    task: str
    text: str
    image: str | None
    question_at_ue: bool = False


def read_workload(path: Path) -> list[WorkloadRequest]:
    """All requests of `workload.jsonl` in order of arrival. Raises `WorkloadError`."""
    requests: list[WorkloadRequest] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    requests.append(_parse_line(line, f"{path.name} line {number}"))
                if len(requests) > 1 and requests[-1].arrival_s < requests[-2].arrival_s:
                    raise WorkloadError(f"{path.name} line {number}: arrival_s goes back in time")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path.name}: cannot be read ({error})") from None
    return requests


def _parse_line(line: str, where: str) -> WorkloadRequest:
    try:
        entry = json.loads(line)
    except ValueError:
        raise WorkloadError(f"{where}: not JSON") from None
    if not isinstance(entry, dict):
        raise WorkloadError(f"{where}: expected an object")
    image = entry.get("image")
    if image is not None and not isinstance(image, str):
        raise WorkloadError(f"{where}: image: expected a path or null")
    arrival_s = _field(entry, "arrival_s", (int, float), where)
    if not math.isfinite(arrival_s) or arrival_s < 0:
        raise WorkloadError(f"{where}: arrival_s: expected seconds from the start, not {arrival_s}")
    question_at = entry.get("question_at", "bs")
    if question_at not in ("bs", "ue"):
        raise WorkloadError(f"{where}: question_at: expected bs or ue, not {str(question_at)[:40]!r}")
    text = _field(entry, "text", (str,), where)
    if question_at == "ue" and text:
        raise WorkloadError(f"{where}: text: expected none, the question is asked at the UE")
    return WorkloadRequest(
        index=_field(entry, "index", (int,), where),
        arrival_s=float(arrival_s),
        user=_field(entry, "user", (int,), where),
        task=_field(entry, "task", (str,), where),
        text=text,
        image=image,
        question_at_ue=question_at == "ue",
    )


def _field(entry: dict[str, Any], name: str, types: tuple[type, ...], where: str) -> Any:
    value = entry.get(name)
    if not isinstance(value, types) or isinstance(value, bool):
        expected = " or ".join(t.__name__ for t in types)
        raise WorkloadError(f"{where}: {name}: expected {expected}, not {str(value)[:40]!r}")
    return value


def load_image_file(path: str, base: Path, limits: LimitsConfig) -> bytes:
    """The bytes of an image file; `base` is where relative paths start. Raises `BadInput`."""
    file = base / path
    try:
        size = file.stat().st_size
        if size > limits.image_bytes:
            raise BadInput(f"image: {path}: {size} bytes, at most {limits.image_bytes} are accepted")
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"image: {path}: cannot be read ({error.strerror})") from None
