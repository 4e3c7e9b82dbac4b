"""Workload files: the good ones are read, the bad ones named by line."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestation.image_door import BadInput
from basestation.workload_file import WorkloadError, load_image_file, read_workload
from shared.config import LimitsConfig
from tests.fuzz.oracle import check_complaint
from tests.unit.shared.samples import json_values

LINE = {
    "index": 0,
    "arrival_s": 0.5,
    "user": 2,
    "task": "vqa",
    "text": "how many?",
    "image": "images/1.png",
    "expected": "2",
    "kind": "count",
    "family": "zero_hop",
    "sample_id": "s",
}


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "workload.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path, json.dumps(LINE), "", json.dumps(LINE | {"index": 1, "arrival_s": 1, "image": None})
    )
    first, second = read_workload(path)
    assert (first.index, first.arrival_s, first.user, first.image) == (0, 0.5, 2, "images/1.png")
    assert (second.index, second.arrival_s, second.image) == (1, 1.0, None)


def test_questions_asked_at_the_ue_are_not_read(tmp_path: Path) -> None:
    there = LINE | {"text": "", "question_at": "ue", "questions": [{"text": "how many?", "expected": "2"}]}
    (request,) = read_workload(write(tmp_path, json.dumps(there)))
    assert request.question_at_ue
    assert "how many" not in str(request)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: expected an object"),
        (json.dumps(LINE | {"user": "2"}), "line 2: user: expected int, not '2'"),
        (json.dumps(LINE | {"user": True}), "line 2: user: expected int"),
        (json.dumps(LINE | {"text": None}), "line 2: text: expected str, not None"),
        (json.dumps({k: v for k, v in LINE.items() if k != "task"}), "line 2: task: expected str"),
        (json.dumps(LINE | {"image": 5}), "line 2: image: expected a path or null"),
        (json.dumps(LINE | {"question_at": "ce"}), "line 2: question_at: expected bs or ue, not 'ce'"),
        (json.dumps(LINE | {"question_at": "ue"}), "line 2: text: expected none, the question is asked"),
        (json.dumps(LINE | {"arrival_s": -1}), "line 2: arrival_s: expected seconds"),
        (json.dumps(LINE | {"arrival_s": float("nan")}), "line 2: arrival_s: expected seconds"),
        (json.dumps(LINE | {"arrival_s": 0.1}), "line 2: arrival_s goes back"),
        (json.dumps(LINE | {"arrival_s": 10**400}), "line 2: arrival_s: expected seconds"),
        (json.dumps(LINE | {"index": 2**31}), "line 2: index: expected 32 bits at most, not 2147483648"),
        (json.dumps(LINE) + " " * 2**20, "line 2: expected at most 1048576 characters"),
    ],
)
def test_a_malformed_line_is_one_line_of_complaint(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(WorkloadError, match=complaint) as caught:
        read_workload(write(tmp_path, json.dumps(LINE), line))
    assert "\n" not in str(caught.value)


@given(st.sampled_from(sorted([*LINE, "question_at"])), json_values())
def test_any_value_in_any_field_is_read_or_named(name: str, value: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), json.dumps(LINE | {name: value}))
        try:
            (request,) = read_workload(path)
        except WorkloadError as error:
            check_complaint(error, "workload.jsonl line 1: ")
            return
    assert 0 <= request.arrival_s < 1e9
    assert isinstance(request.text, str)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"workload\.jsonl: cannot be read"):
        read_workload(tmp_path / "workload.jsonl")
    (tmp_path / "workload.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_workload(tmp_path / "workload.jsonl")


def test_image_files_are_bounded_before_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"12345")
    assert load_image_file("a.png", tmp_path, LimitsConfig()) == b"12345"
    with pytest.raises(BadInput, match="5 bytes, at most 4"):
        load_image_file("a.png", tmp_path, LimitsConfig(image_bytes=4))
    with pytest.raises(BadInput, match=r"image: b\.png: cannot be read \(No such file"):
        load_image_file("b.png", tmp_path, LimitsConfig())
    with pytest.raises(BadInput, match="cannot be read"):
        load_image_file("", tmp_path, LimitsConfig())


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "a\0b", "\ud800", "a\nb", "x" * 5_000])
def test_what_is_no_file_is_never_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="image: ") as caught:
        load_image_file(name, tmp_path, LimitsConfig())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
