import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import MAX_LINE_CHARACTERS, read_json_lines


def test_lines_are_numbered_and_empty_ones_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2}', encoding="utf-8")
    assert list(read_json_lines(path)) == [(1, {"a": 1}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2: expected a JSON object"),
        (b"[1]\n", "line 1: expected a JSON object, found list"),
        (b'{"a": "\xff"}\n', "expected UTF-8"),
        (b"[" * 100_000, "line 1: expected a JSON object"),
        (b"9" * 5_000, "line 1: expected a JSON object"),
        (b'"' + b"x" * (MAX_LINE_CHARACTERS + 1) + b'"', "line 1: expected at most"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        list(read_json_lines(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b'{"a": 1}\n' * 100, mtime=0)[:-12]])
def test_a_broken_gzip_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="expected a whole gzip file"):
        list(read_json_lines(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        list(read_json_lines(tmp_path / "none.jsonl"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), suffix=st.sampled_from([".jsonl", ".jsonl.gz"]))
def test_garbage_is_an_error_of_ours_or_nothing(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    try:
        lines = list(read_json_lines(path))
    except DatasetError:
        return
    assert all(isinstance(record, dict) for _, record in lines)
