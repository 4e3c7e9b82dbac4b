"""JSON from outside, whole files and (plain or gzipped) lines: each fault is one line that names file, place
and field.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from launch.datasets.errors import DatasetError
from shared.outside_text import parse_json

MAX_LINE_CHARACTERS: Final = 1 << 20
MAX_FILE_BYTES: Final = 2 << 30
"""Of a file that is read whole: CLEVR's largest has 0.7 GB."""


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


def read_json(path: Path, expected: str) -> Any:
    """What a JSON file holds; `expected` says what kind of file should be there."""
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected {expected}")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DatasetError(f"{path}: expected at most {MAX_FILE_BYTES} bytes")
        return parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: expected JSON in UTF-8 ({error})") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None


def list_field(path: Path, content: object, field: str) -> list[Any]:
    """A list that must be in a file's outermost object."""
    values = content.get(field) if isinstance(content, dict) else None
    if not isinstance(values, list):
        raise DatasetError(f"{path}: {field}: expected a list, found {type(values).__name__}")
    return values


def object_field(path: Path, place: str, field: str, value: object) -> dict[str, Any]:
    """A value that must be an object; `field` is empty for the record itself."""
    if not isinstance(value, dict):
        where = f"{place}: {field}" if field else place
        raise DatasetError(f"{path}: {where}: expected an object, found {type(value).__name__}")
    return value


def text_field(path: Path, place: str, record: Mapping[str, Any], field: str) -> str:
    """A field that must be a string with something in it; `place` says where in the file, as 'line 3'."""
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if field not in record else type(value).__name__ if value != "" else "an empty one"
        raise DatasetError(f"{path}: {place}: {field}: expected a text that is not empty, found {found}")
    return value


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except ValueError as error:
        raise DatasetError(f"{path}: line {number}: expected a JSON object ({_reason(error)})") from None
    if not isinstance(record, dict):
        raise DatasetError(f"{path}: line {number}: expected a JSON object, found {type(record).__name__}")
    return record


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
