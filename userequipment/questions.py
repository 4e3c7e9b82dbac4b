"""The questions that a UE's user asks by itself about the images it is sent: they never cross the air.

They come from the run's workload file, and only the texts of the own user's lines are kept: neither other
users' questions nor the expected answers, which the same line holds for scoring.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.config import LimitsConfig
from shared.outside_text import lines_of, parse_json
from shared.semantic.prompt import Prompts
from shared.wire.messages import MAX_QUESTIONS


class QuestionError(ValueError):
    """Questions that cannot be used; the message is one line that says which and why."""


def read_questions(path: Path, user: int, limits: LimitsConfig) -> dict[int, tuple[str, ...]]:
    """Workload index -> texts of the questions that `user` asks at its UE, at most `MAX_QUESTIONS` each.

    Raises `QuestionError` naming file and line.
    """
    found: dict[int, tuple[str, ...]] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for where, entry in _entries(lines_of(lines), path.name):
                if entry.get("user") != user or entry.get("question_at") != "ue":
                    continue
                index = entry.get("index")
                if not isinstance(index, int) or isinstance(index, bool) or index in found:
                    raise QuestionError(f"{where}: index: expected a number of its own, not {index!r:.40}")
                found[index] = _texts(entry.get("questions"), where, limits)
    except QuestionError:
        raise
    except (OSError, ValueError) as error:  # not UTF-8, or a line too long
        raise QuestionError(f"{path.name}: cannot be read ({error})") from None
    return found


def known_questions(questions: Mapping[int, tuple[str, ...]], line: int, prompts: Prompts) -> tuple[str, ...]:
    """Those for a workload line. Raises `QuestionError` where there are none, or one is too long."""
    found = questions.get(line, ())
    if not found:
        raise QuestionError(f"no_questions: this UE has none for workload line {line}")
    for number, question in enumerate(found):
        try:
            prompts.text_ids(question)
        except ValueError as error:
            raise QuestionError(f"bad_input: question {number}: {error}") from None
    return found


def _entries(lines: Iterator[str], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{name} line {number}"
        try:
            entry = parse_json(line)
        except ValueError:
            raise QuestionError(f"{where}: not JSON") from None
        if not isinstance(entry, dict):
            raise QuestionError(f"{where}: expected an object")
        yield where, entry


def _texts(questions: Any, where: str, limits: LimitsConfig) -> tuple[str, ...]:
    if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS:
        amount = len(questions) if isinstance(questions, list) else f"{questions!r:.40}"
        raise QuestionError(f"{where}: questions: expected 1 to {MAX_QUESTIONS}, not {amount}")
    texts = []
    for number, question in enumerate(questions):
        text = question.get("text") if isinstance(question, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= limits.text_chars:
            raise QuestionError(
                f"{where}: question {number}: expected a text of 1 to {limits.text_chars} characters"
            )
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise QuestionError(f"{where}: question {number}: not Unicode (a lone surrogate)")
        texts.append(text)
    return tuple(texts)
