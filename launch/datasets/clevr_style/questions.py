"""Questions about a scene: zero-hop (`exist`, `count`, `query_*`) and one-hop (on one side of an object).

Balance is by construction: an answer is chosen first, then a question that has it, so that the words of a
question tell as little as possible about its answer. A question is a pure function of (generator state,
scene).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from launch.datasets.clevr_style.programs import (
    QUERY_KINDS,
    Description,
    Kind,
    Program,
    attributes_of,
    one_hop,
    zero_hop,
)
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, VALUES, Direction
from launch.datasets.clevr_style.wording import one_hop_question, zero_hop_question

Family = Literal["zero_hop", "one_hop"]
Group = Literal["exist", "count", "query"]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
GROUPS: Final[tuple[Group, ...]] = get_args(Group)

#: Chance that a description names 1, 2, 3, 4 attributes.
DETAIL: Final = (0.2, 0.35, 0.3, 0.15)
BARE_COUNT_CHANCE: Final = 0.2  # 'How many things are there?' is only rarely the way to reach a large count
TRIES: Final = 8

Objects = Sequence[tuple[str, str, str, str]]
#: Chooses the answer among those that a scene offers.
Pick = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words, its answer, and the program that gives the answer on the scene's graph."""

    image_filename: str
    question: str
    answer: str
    kind: Kind
    family: Family
    program: Program


@dataclass(frozen=True, slots=True)
class _Draft:
    """What to ask, before it is put into words; `anchor` and `direction` only for one hop."""

    answer: str
    description: Description
    anchor: Description | None = None
    direction: Direction | None = None


def questions_for(
    scene: Scene,
    rng: np.random.Generator,
    families: Sequence[Family] = ("zero_hop",),
    per_scene: int = 10,
    groups: Sequence[Group] = GROUPS,
) -> list[Question]:
    """Up to `per_scene` different questions; exist, count and query equally likely, families too.

    Fewer come back only where a scene does not offer that many different ones.
    """
    rnd = random.Random(int(rng.integers(2**63)))
    writer = QuestionWriter(scene)
    found: dict[Program, Question] = {}
    for _ in range(per_scene * TRIES):
        if len(found) >= per_scene:
            break
        group = rnd.choice(groups)
        kind: Kind = rnd.choice(QUERY_KINDS) if group == "query" else group
        family = rnd.choice(families)
        for _ in range(TRIES):  # the kind stays, so that kinds which are harder to ask stay as frequent
            question = writer.write(family, kind, rnd, rnd.choice)
            if question is not None and question.program not in found:
                found[question.program] = question
                break
    return list(found.values())


class QuestionWriter:
    """Writes questions about one scene; what can be asked of its objects is worked out once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._objects: Objects = [attributes_of(item) for item in scene["objects"]]
        self._counts = _describe_all(self._objects)
        self._sides: dict[tuple[int, Direction], tuple[Objects, Counter[Description], Objects]] = {}

    def write(self, family: Family, kind: Kind, rnd: random.Random, pick: Pick) -> Question | None:
        """One question of a kind, or None where this attempt found none that is worth asking."""
        if family == "zero_hop":
            draft = _draft(self._objects, self._counts, kind, rnd, pick)
        else:
            draft = self._draft_one_hop(kind, rnd, pick)
        if draft is None:
            return None
        if draft.anchor is None or draft.direction is None:
            text = zero_hop_question(draft.description, kind, rnd)
            program = zero_hop(draft.description, kind)
        else:
            text = one_hop_question(draft.anchor, draft.direction, draft.description, kind, rnd)
            program = one_hop(draft.anchor, draft.direction, draft.description, kind)
        return Question(self._scene["image_filename"], text, draft.answer, kind, family, program)

    def _draft_one_hop(self, kind: Kind, rnd: random.Random, pick: Pick) -> _Draft | None:
        index = rnd.randrange(len(self._objects))
        direction = rnd.choice(DIRECTIONS)
        names = [d for d in _descriptions(self._objects[index]) if self._counts[d] == 1 and any(d)]
        inside, counts, outside = self._side(index, direction)
        if not names or not inside:
            return None
        draft = _draft(inside, counts, kind, rnd, pick, decoys=outside)
        if draft is None or (kind != "exist" and not any(_fits(item, draft.description) for item in outside)):
            return None  # degenerate: the same answer without the relation
        return _Draft(draft.answer, draft.description, rnd.choice(names), direction)

    def _side(self, index: int, direction: Direction) -> tuple[Objects, Counter[Description], Objects]:
        """Objects on one side of an object, how many of them fit each description, and the other objects."""
        if (index, direction) not in self._sides:
            related = set(self._scene["relationships"][direction][index])
            inside = [item for other, item in enumerate(self._objects) if other in related]
            outside = [
                item for other, item in enumerate(self._objects) if other not in related and other != index
            ]
            self._sides[index, direction] = (inside, _describe_all(inside), outside)
        return self._sides[index, direction]


def _draft(
    objects: Objects,
    counts: Counter[Description],
    kind: Kind,
    rnd: random.Random,
    pick: Pick,
    decoys: Objects | None = None,
) -> _Draft | None:
    if kind == "exist":
        return _draft_exist(objects, counts, rnd, pick, decoys)
    if kind == "count":
        return _draft_count(objects, counts, rnd, pick, decoys)
    column = QUERY_KINDS.index(kind)
    by_value: dict[str, list[Description]] = defaultdict(list)
    for item in objects:
        by_value[item[column]] += [
            d for d in _descriptions(item) if d[column] is None and counts[d] == 1 and any(d)
        ]
    values = [value for value in VALUES[ATTRIBUTES[column]] if by_value.get(value)]
    if not values:
        return None
    answer = pick(values)
    return _Draft(answer, rnd.choice(by_value[answer]))


def _draft_exist(
    objects: Objects, counts: Counter[Description], rnd: random.Random, pick: Pick, decoys: Objects | None
) -> _Draft | None:
    # The attributes named are fixed before the answer is: else 'are there any cubes' would nearly always
    # mean yes.
    columns = _columns(rnd)
    absent = _absent(objects, counts, columns, rnd, decoys)
    if absent is None:
        return None
    answer = pick(("yes", "no"))
    return _Draft(answer, _only(rnd.choice(objects), columns) if answer == "yes" else absent)


def _draft_count(
    objects: Objects, counts: Counter[Description], rnd: random.Random, pick: Pick, decoys: Objects | None
) -> _Draft | None:
    by_count: dict[int, list[Description]] = defaultdict(list)
    for description, count in counts.items():
        by_count[count].append(description)
    bare: Description = (None, None, None, None)
    if by_count[len(objects)] == [bare] and rnd.random() > BARE_COUNT_CHANCE:
        del by_count[len(objects)]
    absent = _absent(objects, counts, _columns(rnd), rnd, decoys)
    if absent is not None:
        by_count[0] = [absent]
    if not by_count:
        return None
    answer = pick([str(count) for count in sorted(by_count)])
    return _Draft(answer, rnd.choice(by_count[int(answer)]))


def _absent(
    objects: Objects,
    counts: Counter[Description],
    columns: Sequence[int],
    rnd: random.Random,
    decoys: Objects | None,
) -> Description | None:
    """A description over `columns` that no object fits, as hard to refuse as can be; None if there is none.

    With decoys, one that a decoy (an object elsewhere) fits. Without, that of an object with one attribute
    changed to a value that another object has; failing that, to any value.
    """
    if decoys is not None:
        fitting = [d for d in (_only(item, columns) for item in decoys) if not counts[d]]
        return rnd.choice(fitting) if fitting else None
    for seen in (True, False):
        base = rnd.choice(objects)
        for column in rnd.sample(columns, len(columns)):
            values = sorted({item[column] for item in objects}) if seen else VALUES[ATTRIBUTES[column]]
            for value in rnd.sample(values, len(values)):
                candidate = _only((*base[:column], value, *base[column + 1 :]), columns)
                if not counts[candidate]:
                    return candidate
    return None


def _columns(rnd: random.Random) -> list[int]:
    (amount,) = rnd.choices((1, 2, 3, 4), DETAIL)
    return rnd.sample(range(4), amount)


def _only(item: Sequence[str], columns: Iterable[int]) -> Description:
    """An object's values in some columns, None in the others."""
    size, color, material, shape = (item[column] if column in columns else None for column in range(4))
    return (size, color, material, shape)


def _descriptions(item: tuple[str, str, str, str]) -> list[Description]:
    """All 16 descriptions that an object fits; the first is the bare one."""
    size, color, material, shape = item
    return [
        (s, c, m, h)
        for s in (None, size)
        for c in (None, color)
        for m in (None, material)
        for h in (None, shape)
    ]


def _describe_all(objects: Objects) -> Counter[Description]:
    """How many objects fit each description that at least one fits."""
    return Counter(description for item in objects for description in _descriptions(item))


def _fits(item: Sequence[str], description: Description) -> bool:
    return all(wanted is None or wanted == value for wanted, value in zip(description, item, strict=True))
