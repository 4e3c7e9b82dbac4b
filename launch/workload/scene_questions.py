"""Questions on scene graphs, written on demand: what `choose` asks for, picture by picture."""

import random
from collections.abc import Sequence
from typing import cast

from launch.datasets.clevr_style.programs import QUERY_KINDS, Kind
from launch.datasets.clevr_style.questions import FAMILIES, Family, QuestionWriter
from launch.datasets.clevr_style.scene import Scene
from launch.workload.choose import Cell, Chosen, EvenAnswers
from shared.config import ConfigError

TRIES = 24
"""Attempts for one question; one-hop questions are refused often."""


def is_written(families: Sequence[str]) -> bool:
    """Whether questions of all these families can be written on scene graphs."""
    return bool(families) and all(family in FAMILIES for family in families)


def check_families(families: Sequence[str]) -> None:
    """Raises `ConfigError` for a family that no generator knows."""
    for family in families:
        if family not in FAMILIES:
            raise ConfigError(f"workload.families: {family!r} is none of {', '.join(FAMILIES)}")
    if not families:
        raise ConfigError(f"workload.families: empty, expected some of {', '.join(FAMILIES)}")


class SceneQuestions:
    """Offers questions on numbered scenes; families take turns at random."""

    def __init__(self, scenes: Sequence[Scene], families: Sequence[str], rnd: random.Random) -> None:
        check_families(families)
        self._writers = [QuestionWriter(scene) for scene in scenes]
        self._families = cast(Sequence[Family], families)
        self._rnd = rnd
        self._even = EvenAnswers(rnd)

    def offer(self, picture: int, cell: Cell, before: frozenset[str]) -> Chosen | None:
        """A question of the cell's kind (and answer, if it names one) that was not asked of this scene."""
        kind, answer = cast(Kind, cell[0]), cell[1]
        if kind not in ("exist", "count", *QUERY_KINDS):
            return None

        def pick(offered: Sequence[str]) -> str:
            return answer if answer in offered else self._even.pick(kind, offered)

        for _ in range(TRIES):
            family = self._rnd.choice(self._families)
            question = self._writers[picture].write(family, kind, self._rnd, pick)
            if question is None or repr(question.program) in before:
                continue
            if answer and question.answer != answer:
                continue
            self._even.add(kind, question.answer)
            return Chosen(
                question.question, question.answer, question.kind, question.family, repr(question.program)
            )
        return None
