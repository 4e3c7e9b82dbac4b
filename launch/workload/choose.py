"""Which question goes where, so that the whole set is balanced.

Equal numbers (to within one) of exist, count and query; the four queried attributes equally often; exist
answered yes and no equally often. Where a picture does not offer what is most wanted, the next wanted is
asked and the rest of the set makes up for it.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.config import ConfigError

QUERIES = ("query_size", "query_color", "query_material", "query_shape")

Cell = tuple[str, str]
"""(kind, answer); the answer is '' when any will do."""

ANYTHING: Cell = ("", "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One question with its answer; `key` tells it from the others on the same picture."""

    question: str
    answer: str
    kind: str
    family: str
    key: str


Offer = Callable[[int, Cell, frozenset[str]], Chosen | None]
"""(picture, cell, keys already asked there) -> a question that was not asked there, or None."""


def wanted_cells(count: int, rnd: random.Random) -> list[Cell]:
    """`count` cells in random order, balanced as the module says."""
    yes_no = (
        (("exist", "yes"), ("exist", "no")) if rnd.random() < 0.5 else (("exist", "no"), ("exist", "yes"))
    )
    queries = rnd.sample(QUERIES, len(QUERIES))
    cells: list[Cell] = []
    for number in range(-(-count // 3)):
        triple: list[Cell] = [yes_no[number % 2], ("count", ""), (queries[number % 4], "")]
        cells += triple if count - len(cells) >= 3 else triple[: count - len(cells)]
    rnd.shuffle(cells)
    return cells


def choose(
    pictures: Sequence[int], offer: Offer, rnd: random.Random, where: str, fall_back: bool = False
) -> list[Chosen]:
    """One question for each entry of `pictures` (a picture's number may come several times).

    With `fall_back` a picture that offers nothing wanted is asked for `ANYTHING`, at the cost of balance.

    Raises:
        ConfigError: a picture offers no further question; `where` names the source.
    """
    cells = wanted_cells(len(pictures), rnd)
    asked: dict[int, set[str]] = {}
    chosen: list[Chosen] = []
    for picture in pictures:
        before = asked.setdefault(picture, set())
        found = _first_offered(picture, cells, offer, frozenset(before))
        if found is None and fall_back:
            anything = offer(picture, ANYTHING, frozenset(before))
            found = None if anything is None else (len(cells) - 1, anything)
        if found is None:
            raise ConfigError(
                f"{where}: picture {picture} offers only {len(before)} different questions: "
                "lower workload.requests or workload.questions_per_image, or give more pictures"
            )
        place, question = found
        cells.pop(place)
        before.add(question.key)
        chosen.append(question)
    return chosen


def _first_offered(
    picture: int, cells: Sequence[Cell], offer: Offer, before: frozenset[str]
) -> tuple[int, Chosen] | None:
    """The first wanted cell that the picture can serve; each different cell is tried once."""
    tried: set[Cell] = set()
    for place in range(len(cells) - 1, -1, -1):
        if cells[place] in tried:
            continue
        tried.add(cells[place])
        question = offer(picture, cells[place], before)
        if question is not None:
            return place, question
    for place in range(len(cells) - 1, -1, -1):  # another attribute, rather than a set without the query
        for kind in QUERIES if cells[place][0] in QUERIES else ():
            question = offer(picture, (kind, ""), before)
            if question is not None:
                return place, question
        if cells[place][0] in QUERIES:
            break
    return None


class EvenAnswers:
    """Prefers the answer that was given least often so far, kind by kind."""

    def __init__(self, rnd: random.Random) -> None:
        self._rnd = rnd
        self._used: Counter[Cell] = Counter()

    def pick(self, kind: str, answers: Sequence[str]) -> str:
        fewest = min(self._used[kind, answer] for answer in answers)
        return self._rnd.choice([answer for answer in answers if self._used[kind, answer] == fewest])

    def add(self, kind: str, answer: str) -> None:
        self._used[kind, answer] += 1
