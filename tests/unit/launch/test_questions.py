"""From deliveries back to questions."""

from typing import Any

from launch.questions import each_question
from launch.scoring import accuracy, judge


def delivery(index: int, *expected: str | None) -> dict[str, Any]:
    questions = [
        {"text": f"{n}?", "expected": e, "kind": "count", "family": "zero_hop", "sample_id": f"{index}.{n}"}
        for n, e in enumerate(expected)
    ]
    entry = {"index": index, "user": 0, "task": "vqa", "text": "", "image": f"{index}.png"}
    return entry | {"question_at": "ue", "questions": questions}


def test_each_question_meets_its_own_answer_and_control() -> None:
    sent = {"index": 0, "task": "vqa", "text": "sent?", "expected": "1", "sample_id": "s", "image": "i"}
    ends = {
        0: {"event": "ok", "text": "1", "control_text": "0", "later": []},
        1: {"event": "ok", "text": "a", "control_text": "b", "later": [["c", "d"], ["e", None]]},
    }
    found = [
        (entry["text"], entry["sample_id"], end["text"], end["control_text"])
        for entry, end in each_question([sent, delivery(1, "a", "c", "e")], ends)
    ]
    assert found == [
        ("sent?", "s", "1", "0"),
        ("0?", "1.0", "a", "b"), ("1?", "1.1", "c", "d"), ("2?", "1.2", "e", None),
    ]  # fmt: skip


def test_a_delivery_that_failed_is_wrong_for_each_of_its_questions() -> None:
    workload = [delivery(0, "2", "3"), delivery(1, "2", "3", None), delivery(2, "2")]
    ends = {
        0: {"event": "fail", "reason": "user_left"},
        1: {"text": "2", "later": [["4", None], ["5", None]]},
    }
    found = accuracy(judge(workload, ends), seed=0)["vqa"]
    assert (found["correct"], found["total"]) == (1, 4), "one right, one wrong, two of the failed delivery"
    assert [item.cluster for item in judge(workload, ends)] == ["0.png", "0.png", "1.png", "1.png"]


def test_answers_that_are_missing_are_wrong() -> None:
    judged = judge([delivery(0, "2", "3")], {0: {"text": "2", "control_text": "2"}})
    assert [(item.score, item.control) for item in judged] == [(1.0, 1.0), (0.0, None)]
