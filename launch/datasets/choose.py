"""Which question goes where, so that the whole set is balanced.

Families take turns; within a family what it asks (exist, count, query; equal; compare) does; the queried or
compared attributes come equally often, and questions answered by yes or no are answered so equally often.
Where a picture does not offer what is most wanted, the next wanted is asked and the rest of the set makes up
for it.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

from launch.datasets.clevr_style.programs import Program
from launch.datasets.clevr_style.questions import KINDS, Family, Group, groups_of
from launch.datasets.errors import DatasetError

Cell = tuple[str, str, str]
"""(family, kind, answer); the answer is '' when any will do."""

ANYTHING: Cell = ("", "", "")
ANSWERED_YES_OR_NO = ("exist", "equal", "integer")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One question with its answer; `key` tells it from the others on the same picture."""

    question: str
    answer: str
    kind: str
    family: str
    key: str
    program: Program = ()


Offer = Callable[[int, Cell, frozenset[str]], Chosen | None]
"""(picture, cell, keys already asked there) -> a question that was not asked there, or None."""


def wanted_cells(count: int, families: Sequence[Family], rnd: random.Random) -> list[Cell]:
    """`count` cells in random order, balanced as the module says."""
    streams = {
        (family, group): cycle(_cells(family, group, rnd))
        for family in families
        for group in groups_of(family)
    }
    turns = {family: cycle(rnd.sample(groups_of(family), len(groups_of(family)))) for family in families}
    order = rnd.sample(list(families), len(families))
    cells = [next(streams[f, next(turns[f])]) for f, _ in zip(cycle(order), range(count), strict=False)]
    rnd.shuffle(cells)
    return cells


def _cells(family: Family, group: Group, rnd: random.Random) -> list[Cell]:
    """One of each kind of a group, with yes and with no where it is answered so."""
    answers = rnd.sample(("yes", "no"), 2) if group in ANSWERED_YES_OR_NO else [""]
    kinds = rnd.sample(KINDS[group], len(KINDS[group]))
    return [(family, kind, answer) for answer in answers for kind in kinds]


def choose(
    pictures: Sequence[int], families: Sequence[Family], offer: Offer, rnd: random.Random, where: str
) -> list[Chosen]:
    """One question for each entry of `pictures` (a picture's number may come several times).

    Raises:
        DatasetError: a picture offers no further question; `where` names the source.
    """
    chosen = choose_some(pictures, families, offer, rnd)
    for place, found in enumerate(chosen):
        if found is None:
            raise DatasetError(
                f"{where}: picture {pictures[place]} offers fewer than {pictures.count(pictures[place])} "
                "different questions: lower workload.requests or workload.questions_per_image, or give more "
                "pictures"
            )
    return [found for found in chosen if found is not None]


def choose_some(
    pictures: Sequence[int], families: Sequence[Family], offer: Offer, rnd: random.Random
) -> list[Chosen | None]:
    """The same, with None where a picture offers no further question.

    A picture that offers nothing wanted is asked for `ANYTHING`, at the cost of balance.
    """
    cells = wanted_cells(len(pictures), families, rnd)
    asked: dict[int, set[str]] = {}
    chosen: list[Chosen | None] = []
    for picture in pictures:
        before = asked.setdefault(picture, set())
        place, question = _first_offered(picture, cells, offer, frozenset(before))
        chosen.append(question)
        if question is not None:
            cells.pop(place)
            before.add(question.key)
    return chosen


def _first_offered(
    picture: int, cells: Sequence[Cell], offer: Offer, before: frozenset[str]
) -> tuple[int, Chosen | None]:
    """The first wanted cell that the picture can serve; each different cell is tried once."""
    tried: set[Cell] = set()
    for place in range(len(cells) - 1, -1, -1):
        if cells[place] not in tried:
            tried.add(cells[place])
            question = offer(picture, cells[place], before)
            if question is not None:
                return place, question
    return len(cells) - 1, offer(picture, ANYTHING, before)


class EvenAnswers:
    """Prefers the answer that was given least often so far, by family and kind."""

    def __init__(self, rnd: random.Random) -> None:
        self._rnd = rnd
        self._used: Counter[Cell] = Counter()

    def pick(self, family: str, kind: str, answers: Sequence[str]) -> str:
        fewest = min(self._used[family, kind, answer] for answer in answers)
        return self._rnd.choice([a for a in answers if self._used[family, kind, a] == fewest])

    def add(self, family: str, kind: str, answer: str) -> None:
        self._used[family, kind, answer] += 1
