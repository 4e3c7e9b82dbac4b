"""A UE reads its own user's questions and nothing else; what is wrong with them is one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.config import LimitsConfig
from shared.wire.messages import MAX_QUESTIONS
from userequipment.questions import QuestionError, read_questions

LIMITS = LimitsConfig(text_chars=20)


def line(index: int, user: int, *texts: str) -> dict[str, Any]:
    questions = [{"text": text, "expected": "2", "kind": "count"} for text in texts]
    entry = {"index": index, "user": user, "task": "vqa", "text": "", "question_at": "ue"}
    return entry | {"questions": questions}


def write(folder: Path, *lines: Any) -> Path:
    path = folder / "workload.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_own_questions_are_read_by_workload_index(tmp_path: Path) -> None:
    caption = {"index": 2, "user": 1, "task": "caption", "text": ""}
    path = write(tmp_path, line(0, 0, "mine?"), line(1, 1, "how many?", "what?"), "", caption)
    assert read_questions(path, 1, LIMITS) == {1: ("how many?", "what?")}
    assert read_questions(path, 0, LIMITS) == {0: ("mine?",)}
    assert read_questions(path, 2, LIMITS) == {}


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: expected an object"),
        (line(0, 1, "?"), "line 2: index: expected a number of its own, not 0"),
        (line(1, 1, "?") | {"index": None}, "line 2: index: expected a number of its own, not None"),
        (line(1, 1), f"line 2: questions: expected 1 to {MAX_QUESTIONS}, not 0"),
        (line(1, 1, *["?"] * 65), "line 2: questions: expected 1 to 64, not 65"),
        (line(1, 1) | {"questions": "?"}, "line 2: questions: expected 1 to 64, not '[?]'"),
        (line(1, 1, "?", ""), "line 2: question 1: expected a text of 1 to 20"),
        (line(1, 1, "x" * 21), "line 2: question 0: expected a text of 1 to 20"),
        (line(1, 1) | {"questions": [{"text": 3}]}, "line 2: question 0: expected a text"),
        (line(1, 1) | {"questions": ["?"]}, "line 2: question 0: expected a text"),
        (line(1, 1, "\ud800"), "line 2: question 0: not Unicode"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, bad: Any, complaint: str) -> None:
    with pytest.raises(QuestionError, match=complaint) as caught:
        read_questions(write(tmp_path, line(0, 1, "good?"), bad), 1, LIMITS)
    assert "\n" not in str(caught.value)


def test_what_is_wrong_with_others_questions_is_theirs(tmp_path: Path) -> None:
    path = write(tmp_path, line(0, 1, "good?"), line(1, 2, *["?"] * 65))
    assert read_questions(path, 1, LIMITS) == {0: ("good?",)}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"workload\.jsonl: cannot be read"):
        read_questions(tmp_path / "workload.jsonl", 0, LIMITS)
    (tmp_path / "workload.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(QuestionError, match="cannot be read"):
        read_questions(tmp_path / "workload.jsonl", 0, LIMITS)
