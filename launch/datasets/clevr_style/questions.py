"""Questions about a scene in CLEVR's nine families, as trees of groups, programs and words.

Balance is by construction: an answer is chosen first, then a question that has it, so that the words of a
question tell as little as possible about its answer. Degenerate questions, whose answer stays the same when
a relation is left out, are refused. A question is a pure function of (generator state, scene).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from launch.datasets.clevr_style.drafts import Draft, Drafter, Pick
from launch.datasets.clevr_style.groups import ProgramWriter, SceneMasks
from launch.datasets.clevr_style.programs import EQUAL_KINDS, NUMBER_KINDS, QUERY_KINDS, Kind, Program
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.wording import Writer

Family = Literal[
    "zero_hop",
    "one_hop",
    "two_hop",
    "three_hop",
    "same_relate",
    "comparison",
    "compare_integer",
    "single_and",
    "single_or",
]
Group = Literal["exist", "count", "query", "equal", "integer"]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
HOPS: Final[Mapping[Family, int]] = {"zero_hop": 0, "one_hop": 1, "two_hop": 2, "three_hop": 3}
KINDS: Final[Mapping[Group, tuple[Kind, ...]]] = {
    "exist": ("exist",),
    "count": ("count",),
    "query": QUERY_KINDS,
    "equal": EQUAL_KINDS,
    "integer": NUMBER_KINDS,
}
GROUPS: Final[tuple[Group, ...]] = ("exist", "count", "query")
TRIES: Final = 8


def groups_of(family: Family) -> tuple[Group, ...]:
    """What is asked in a family; CLEVR asks nothing but counts in `single_or`."""
    special: dict[Family, tuple[Group, ...]] = {
        "comparison": ("equal",),
        "compare_integer": ("integer",),
        "single_or": ("count",),
    }
    return special.get(family, GROUPS)


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words, its answer, and the program that gives the answer on the scene's graph."""

    image_filename: str
    question: str
    answer: str
    kind: Kind
    family: Family
    program: Program


def questions_for(
    scene: Scene,
    rng: np.random.Generator,
    families: Sequence[Family] = ("zero_hop",),
    per_scene: int = 10,
) -> list[Question]:
    """Up to `per_scene` different questions; families equally likely, and what they ask too.

    Fewer come back only where a scene does not offer that many different ones.
    """
    rnd = random.Random(int(rng.integers(2**63)))
    writer = QuestionWriter(scene)
    found: dict[Program, Question] = {}
    for _ in range(per_scene * TRIES):
        if len(found) >= per_scene:
            break
        family = rnd.choice(families)
        kind = rnd.choice(KINDS[rnd.choice(groups_of(family))])
        for _ in range(TRIES):  # the kind stays, so that kinds which are harder to ask stay as frequent
            question = writer.write(family, kind, rnd, rnd.choice)
            if question is not None and question.program not in found:
                found[question.program] = question
                break
    return list(found.values())


class QuestionWriter:
    """Writes questions about one scene; what can be asked of its objects is worked out once."""

    def __init__(self, scene: Scene) -> None:
        self._name = scene["image_filename"]
        self._drafter = Drafter(SceneMasks(scene))

    def write(self, family: Family, kind: Kind, rnd: random.Random, pick: Pick) -> Question | None:
        """One question of a kind, or None where this attempt found none that is worth asking."""
        draft = self._draft(family, kind, rnd, pick)
        if draft is None:
            return None
        text = Writer(rnd).ask(kind, draft.groups)
        return Question(self._name, text, draft.answer, kind, family, program_of(kind, draft))

    def _draft(self, family: Family, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        match family:
            case "comparison":
                return self._drafter.comparison(kind, rnd, pick)
            case "compare_integer":
                return self._drafter.numbers(kind, rnd, pick)
            case "single_or":
                return self._drafter.either(rnd, pick)
            case "same_relate":
                return self._drafter.alike(kind, rnd, pick)
            case "single_and":
                return self._drafter.both(kind, rnd, pick)
            case hops:
                return self._drafter.hops(HOPS[hops], kind, rnd, pick)


def program_of(kind: Kind, draft: Draft) -> Program:
    """The program of a draft: its groups, what is read of them, and the last function."""
    writer = ProgramWriter()
    if kind in NUMBER_KINDS:
        writer.add(kind, *[writer.add("count", writer.group(group)) for group in draft.groups])
    elif kind in EQUAL_KINDS:
        read = f"query_{kind.removeprefix('equal_')}"
        writer.add(kind, *[writer.add(read, writer.unique(group)) for group in draft.groups])
    else:
        (group,) = draft.groups
        writer.add(kind, writer.unique(group) if kind in QUERY_KINDS else writer.group(group))
    return writer.program
