"""Workload files: as the base station reads them, its door, the images they name, and as a UE reads them."""

import json
import math
from pathlib import Path

from basestation.door import Door
from basestation.image_door import BadInput
from basestation.workload_file import WorkloadError, load_image_file, read_workload
from shared.config import LimitsConfig
from tests.fuzz.oracle import as_file, check_complaint
from userequipment.questions import QuestionError, read_questions

_LINE = {"index": 0, "arrival_s": 0.5, "user": 2, "task": "vqa", "text": "how many?", "image": "1.png"}
SEEDS = (
    json.dumps(_LINE).encode(),
    b'{"index": 0, "arrival_s": 0, "user": 0, "task": "caption", "text": "", "image": null}\n'
    b'{"index": 1, "arrival_s": 1e1, "user": 0, "task": "vqa", "text": "", "image": "a", "question_at"'
    b': "ue", "questions": [{"text": "how many?"}]}',
)
TOKENS = (
    *(f'"{name}": '.encode() for name in (*_LINE, "question_at", "questions")),
    *(b"NaN", b"Infinity", b"1e999", b"9" * 400, b"null", b"true", b"[", b"{", b'"\\ud800"', b'"\\u0000"'),
)

_LIMITS = LimitsConfig(image_bytes=1_000)
_NOWHERE = Path("/nonexistent")


def one_input(data: bytes) -> None:
    with as_file(data) as path:
        _check_questions(path)
        try:
            requests = read_workload(path)
        except WorkloadError as error:
            check_complaint(error)
            return
    arrivals_s = [request.arrival_s for request in requests]
    if arrivals_s != sorted(arrivals_s) or not all(0 <= t < math.inf for t in arrivals_s):
        raise AssertionError(f"arrivals at {arrivals_s}")
    door = Door(4, _LIMITS)
    for each in requests:
        reason = door.refusal(each.user, each.task, each.text, b"", 0, True, each.question_at_ue)
        json.dumps(reason).encode()
        if each.image is not None:
            _check_image(each.image)


def _check_questions(path: Path) -> None:
    try:
        read_questions(path, 0, _LIMITS)
    except QuestionError as error:
        check_complaint(error)


def _check_image(name: str) -> None:
    try:
        data = load_image_file(name, _NOWHERE, _LIMITS)
    except BadInput as error:
        check_complaint(error)
        return
    if len(data) > _LIMITS.image_bytes:
        raise AssertionError(f"{len(data)} bytes of {name!r}")
