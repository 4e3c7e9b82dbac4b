"""The workload file of a run, and the image files it names."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from basestation.image_door import BadInput
from shared.config import LimitsConfig
from shared.outside_text import lines_of, one_line, parse_json, shown

MAX_ARRIVAL_S: Final = 1e9


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
            for number, line in enumerate(lines_of(lines), start=1):
                if line.strip():
                    requests.append(_parse_line(line, f"{path.name} line {number}"))
                if len(requests) > 1 and requests[-1].arrival_s < requests[-2].arrival_s:
                    raise WorkloadError(f"{path.name} line {number}: arrival_s goes back in time")
    except WorkloadError:
        raise
    except (OSError, ValueError) as error:  # not UTF-8, or a line too long
        raise WorkloadError(f"{path.name}: cannot be read ({error})") from None
    return requests


def _parse_line(line: str, where: str) -> WorkloadRequest:
    try:
        entry = parse_json(line)
    except ValueError:
        raise WorkloadError(f"{where}: not JSON") from None
    if not isinstance(entry, dict):
        raise WorkloadError(f"{where}: expected an object")
    image = entry.get("image")
    if image is not None and not isinstance(image, str):
        raise WorkloadError(f"{where}: image: expected a path or null")
    arrival_s = _field(entry, "arrival_s", (int, float), where)
    if not 0 <= arrival_s < MAX_ARRIVAL_S:  # nor NaN
        raise WorkloadError(f"{where}: arrival_s: expected seconds from the start, not {shown(arrival_s)}")
    question_at = entry.get("question_at", "bs")
    if question_at not in ("bs", "ue"):
        raise WorkloadError(f"{where}: question_at: expected bs or ue, not {shown(question_at)}")
    text = _field(entry, "text", (str,), where)
    if question_at == "ue" and text:
        raise WorkloadError(f"{where}: text: expected none, the question is asked at the UE")
    return WorkloadRequest(
        index=_whole(entry, "index", where),
        arrival_s=float(arrival_s),
        user=_whole(entry, "user", where),
        task=_field(entry, "task", (str,), where),
        text=text,
        image=image,
        question_at_ue=question_at == "ue",
    )


def _field(entry: dict[str, Any], name: str, types: tuple[type, ...], where: str) -> Any:
    value = entry.get(name)
    if not isinstance(value, types) or isinstance(value, bool):
        expected = " or ".join(t.__name__ for t in types)
        raise WorkloadError(f"{where}: {name}: expected {expected}, not {shown(value)}")
    return value


def _whole(entry: dict[str, Any], name: str, where: str) -> int:
    value: int = _field(entry, name, (int,), where)
    if not -(2**31) <= value < 2**31:
        raise WorkloadError(f"{where}: {name}: expected 32 bits at most, not {shown(value)}")
    return value


def load_image_file(path: str, base: Path, limits: LimitsConfig) -> bytes:
    """The bytes of an image file; `base` is where relative paths start. Raises `BadInput`.

    Only regular files are opened: a device never ends, and a pipe waits for somebody.
    """
    name = one_line(path)
    try:
        status = (base / path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadInput(f"image: {name}: cannot be read (not a file)")
        if status.st_size > limits.image_bytes:
            raise BadInput(
                f"image: {name}: {status.st_size} bytes, at most {limits.image_bytes} are accepted"
            )
        return (base / path).read_bytes()
    except OSError as error:
        raise BadInput(f"image: {name}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"image: {name}: not a path") from None  # a zero byte, or a lone surrogate
