"""JSON lines from outside, plain or gzipped: each fault is one line that names file, line and field."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from launch.datasets.errors import DatasetError

MAX_LINE_CHARACTERS: Final = 1 << 20


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) for each line; empty lines are skipped."""
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected JSON lines")
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    with opener(path, "rt", encoding="utf-8") as stream:
        try:
            while line := stream.readline(MAX_LINE_CHARACTERS + 1):
                number += 1
                if len(line) > MAX_LINE_CHARACTERS:
                    raise DatasetError(
                        f"{path}: line {number}: expected at most {MAX_LINE_CHARACTERS} characters"
                    )
                if line.strip():
                    yield number, _object(path, number, line)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DatasetError(f"{path}: after line {number}: expected a whole gzip file ({error})") from None
        except UnicodeDecodeError as error:
            raise DatasetError(f"{path}: after line {number}: expected UTF-8 ({error.reason})") from None


def text_field(path: Path, place: str, record: Mapping[str, Any], field: str) -> str:
    """A field that must be a string with something in it; `place` says where in the file, as 'line 3'."""
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if field not in record else type(value).__name__ if value != "" else "an empty one"
        raise DatasetError(f"{path}: {place}: {field}: expected a text that is not empty, found {found}")
    return value


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DatasetError(f"{path}: line {number}: expected a JSON object ({_reason(error)})") from None
    if not isinstance(record, dict):
        raise DatasetError(f"{path}: line {number}: expected a JSON object, found {type(record).__name__}")
    return record


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
