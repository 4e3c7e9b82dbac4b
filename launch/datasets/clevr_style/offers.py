"""Questions on scene graphs, written on demand: what `choose` asks for, picture by picture."""

import random
from collections.abc import Sequence
from typing import cast

from launch.datasets.choose import ANYTHING, Cell, Chosen, EvenAnswers
from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.questions import (
    FAMILIES,
    KINDS,
    Family,
    Question,
    QuestionWriter,
    groups_of,
)
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.errors import DatasetError

ALL = "all"
TRIES = 24
"""Attempts for one question; those that relate objects are refused often."""


def check_families(names: Sequence[str]) -> tuple[Family, ...]:
    """The families named, `all` for every one. Raises `DatasetError` for one that no generator knows."""
    if tuple(names) == (ALL,):
        return FAMILIES
    for name in names:
        if name not in FAMILIES:
            raise DatasetError(f"families: {name!r} is none of {', '.join(FAMILIES)}, {ALL}")
    if not names:
        raise DatasetError(f"families: empty, expected some of {', '.join(FAMILIES)}, {ALL}")
    return cast(tuple[Family, ...], tuple(names))


class SceneQuestions:
    """Offers questions on numbered scenes."""

    def __init__(self, scenes: Sequence[Scene], families: Sequence[Family], rnd: random.Random) -> None:
        self._families = families
        self._writers = [QuestionWriter(scene) for scene in scenes]
        self._rnd = rnd
        self._even = EvenAnswers(rnd)

    def offer(self, picture: int, cell: Cell, before: frozenset[str]) -> Chosen | None:
        """A question of the cell's family and kind (and answer, if it names one), not yet asked there."""
        for _ in range(TRIES):
            family, kind, answer = self._anything() if cell == ANYTHING else cell
            question = self._write(picture, cast(Family, family), cast(Kind, kind), answer)
            if question is None or repr(question.program) in before:
                continue
            if answer and question.answer != answer:
                continue
            self._even.add(question.family, question.kind, question.answer)
            return Chosen(
                question.question,
                question.answer,
                question.kind,
                question.family,
                repr(question.program),
                question.program,
            )
        return None

    def _anything(self) -> Cell:
        family = self._rnd.choice(self._families)
        return family, self._rnd.choice(KINDS[self._rnd.choice(groups_of(family))]), ""

    def _write(self, picture: int, family: Family, kind: Kind, answer: str) -> Question | None:
        def pick(offered: Sequence[str]) -> str:
            return answer if answer in offered else self._even.pick(family, kind, offered)

        return self._writers[picture].write(family, kind, self._rnd, pick)
