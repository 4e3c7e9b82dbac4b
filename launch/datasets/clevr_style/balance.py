"""Evaluation sets: exactly as many exist as count as query questions, answers as even as the scenes allow."""

import random
from collections import Counter
from collections.abc import Sequence

from launch.datasets.clevr_style.programs import QUERY_KINDS, Kind, Program
from launch.datasets.clevr_style.questions import GROUPS, Family, Group, Question, QuestionWriter
from launch.datasets.clevr_style.scene import Scene

ATTEMPTS = 12  # per question and scene; one-hop questions are refused often


def balanced_questions(
    scenes: Sequence[Scene],
    seed: int,
    per_scene: int,
    kinds: Sequence[Group] = GROUPS,
    family: Family = "zero_hop",
) -> list[Question]:
    """Up to `per_scene` questions on each scene, in scene order.

    Each of `kinds` gets exactly the same number, a multiple of four, so that query spreads evenly over its
    four attributes and exist is half yes; what is left of len(scenes) * per_scene is dropped. Counts and
    queried values are evened out over the whole set. The same arguments give the same questions.
    """
    rnd = random.Random(f"{seed}/{family}/{'+'.join(kinds)}")
    quota = len(scenes) * per_scene // len(kinds) // 4 * 4
    wanted: list[Kind] = []
    for group in kinds:
        wanted += (
            [kind for kind in QUERY_KINDS for _ in range(quota // 4)] if group == "query" else [group] * quota
        )
    rnd.shuffle(wanted)
    tally = _Tally(rnd)
    found: dict[int, dict[Program, Question]] = {index: {} for index in range(len(scenes))}
    writers = [QuestionWriter(scene) for scene in scenes]
    room = [index for index in range(len(scenes)) for _ in range(per_scene)]
    rnd.shuffle(room)
    for kind in wanted:
        _place(kind, family, writers, found, room, tally, rnd)
    _even(found, kinds)
    return [question for index in range(len(scenes)) for question in found[index].values()]


class _Tally:
    """How often each answer of each kind was given so far."""

    def __init__(self, rnd: random.Random) -> None:
        self._rnd = rnd
        self._used: Counter[tuple[Kind, str]] = Counter()

    def least_used(self, kind: Kind, answers: Sequence[str]) -> str:
        fewest = min(self._used[kind, answer] for answer in answers)
        return self._rnd.choice([answer for answer in answers if self._used[kind, answer] == fewest])

    def add(self, question: Question) -> None:
        self._used[question.kind, question.answer] += 1


def _place(
    kind: Kind,
    family: Family,
    writers: Sequence[QuestionWriter],
    found: dict[int, dict[Program, Question]],
    room: list[int],
    tally: _Tally,
    rnd: random.Random,
) -> None:
    """Put one question of a kind on the first scene with room that offers a new one.

    The least used answer is asked for at first, any answer once that has failed.
    """

    def least_used(answers: Sequence[str]) -> str:
        return tally.least_used(kind, answers)

    for position in range(len(room) - 1, -1, -1):
        index = room[position]
        for attempt in range(ATTEMPTS):
            evenly = attempt < ATTEMPTS // 2
            question = writers[index].write(family, kind, rnd, least_used if evenly else rnd.choice)
            if question is not None and question.program not in found[index]:
                found[index][question.program] = question
                tally.add(question)
                del room[position]
                return


def _even(found: dict[int, dict[Program, Question]], kinds: Sequence[Group]) -> None:
    """Where scenes offered too little of something, drop from the rest to keep the promised equalities."""
    cells: dict[tuple[Kind, str], list[tuple[int, Program]]] = {}
    for index, questions in found.items():
        for program, question in questions.items():
            # one cell for yes, one for no, one for each queried attribute; count weighs like four
            cell = (question.kind, question.answer if question.kind == "exist" else "")
            cells.setdefault(cell, []).append((index, program))
    weight = {"exist": 2, "count": 4}
    expected: list[tuple[Kind, str]] = []
    for group in kinds:
        if group == "exist":
            expected += [("exist", "yes"), ("exist", "no")]
        else:
            expected += [(kind, "") for kind in QUERY_KINDS] if group == "query" else [("count", "")]
    quarter = min(len(cells.get(cell, ())) // weight.get(cell[0], 1) for cell in expected)
    for cell in expected:
        for scene, surplus in cells.get(cell, [])[quarter * weight.get(cell[0], 1) :]:
            del found[scene][surplus]
