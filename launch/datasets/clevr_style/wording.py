"""English for groups and questions: CLEVR's synonyms, this project's own sentences."""

import random
from collections.abc import Mapping
from typing import Final

from launch.datasets.clevr_style.groups import Alike, Both, Description, Either, Group, Side
from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.vocabulary import Attribute, Direction

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "large": ("large", "big"),
    "small": ("small", "tiny"),
    "rubber": ("rubber", "matte"),
    "metal": ("metal", "metallic", "shiny"),
    "cube": ("cube", "block"),
    "sphere": ("sphere", "ball"),
    "cylinder": ("cylinder",),
}
ANY_SHAPE: Final = ("thing", "object")

RELATIONS: Final[Mapping[Direction, tuple[str, ...]]] = {
    "left": ("left of", "to the left of", "on the left side of"),
    "right": ("right of", "to the right of", "on the right side of"),
    "front": ("in front of",),
    "behind": ("behind",),
}

# {one}: 'red cube left of the ball'; {a}: with an article; {many}: plural
EXIST: Final = (
    "Are there any {many}?",
    "Is there {a}?",
    "Can you see {a}?",
    "Do you see any {many}?",
    "Does the picture show {a}?",
)
COUNT: Final = (
    "How many {many} are there?",
    "How many {many} can you see?",
    "What number of {many} are there?",
    "What is the number of {many}?",
    "Count the {many}.",
)
# {head}: plural without its origin; {where}: its origin as a predicate, 'left of the ball'
EXIST_WHERE: Final = ("Are any {head} {where}?",)
COUNT_WHERE: Final = ("How many {head} are {where}?", "What number of {head} are {where}?")
QUERY: Final[Mapping[Attribute, tuple[str, ...]]] = {
    "size": (
        "What size is the {one}?",
        "How big is the {one}?",
        "What is the size of the {one}?",
        "The {one} is what size?",
        "The {one} has what size?",
        "There is {a}; what size is it?",
        "There is {a}; how big is it?",
        "There is {a}; what is its size?",
    ),
    "color": (
        "What color is the {one}?",
        "What is the color of the {one}?",
        "The {one} is what color?",
        "The {one} has what color?",
        "Which color does the {one} have?",
        "There is {a}; what color is it?",
        "There is {a}; what is its color?",
    ),
    "material": (
        "What is the {one} made of?",
        "What material is the {one}?",
        "What material is the {one} made of?",
        "What is the material of the {one}?",
        "The {one} is made of what material?",
        "There is {a}; what is it made of?",
        "There is {a}; what material is it?",
        "There is {a}; what is its material?",
    ),
    "shape": (
        "What shape is the {one}?",
        "What is the shape of the {one}?",
        "The {one} is what shape?",
        "The {one} has what shape?",
        "Which shape does the {one} have?",
        "There is {a}; what shape is it?",
        "There is {a}; what is its shape?",
    ),
}
# The anchor first, then what lies on one side of it ({rel} it).
ANCHOR_FIRST: Final = {
    "exist": (
        "There is {anchor}; are there any {many} {rel} it?",
        "There is {anchor}; is there {a} {rel} it?",
        "There is {anchor}; is there {a} that is {rel} it?",
        "There is {anchor}; are there any {many} that are {rel} it?",
    ),
    "count": (
        "There is {anchor}; how many {many} are {rel} it?",
        "There is {anchor}; what number of {many} are {rel} it?",
        "There is {anchor}; count the {many} {rel} it.",
    ),
}
ALIKE_EXIST: Final = ("Is there {another} {as}?", "Are there any {others} {as}?")
ALIKE_COUNT: Final = (
    "How many {others} are there {as}?",
    "How many {others} {have} the same {name} as the {anchor}?",
    "What number of {others} {have} the same {name} as the {anchor}?",
)
# {x}, {y}: 'red cube left of the ball'
COMPARE: Final = (
    "Is the {name} of the {x} the same as the {y}?",
    "Is the {name} of the {x} the same as that of the {y}?",
    "Does the {x} have the same {name} as the {y}?",
    "Do the {x} and the {y} have the same {name}?",
    "Is the {x} the same {name} as the {y}?",
    "There is {ax}; is its {name} the same as the {y}?",
    "There is {ax}; does it have the same {name} as the {y}?",
    "There is {ax}; is it the same {name} as the {y}?",
)
COMPARE_MATERIAL: Final = (
    "Are the {x} and the {y} made of the same material?",
    "Is the {x} made of the same material as the {y}?",
    "There is {ax}; is it made of the same material as the {y}?",
)
# {x}, {y}: plurals
NUMBERS: Final = {
    "equal_integer": (
        "Are there an equal number of {x} and {y}?",
        "Are there the same number of {x} and {y}?",
        "Are there as many {x} as {y}?",
        "Is the number of {x} the same as the number of {y}?",
    ),
    "less_than": (
        "Are there fewer {x} than {y}?",
        "Is the number of {x} less than the number of {y}?",
    ),
    "greater_than": (
        "Are there more {x} than {y}?",
        "Is the number of {x} greater than the number of {y}?",
    ),
}


class Writer:
    """Puts groups and questions into words, each choice drawn from `rnd`."""

    def __init__(self, rnd: random.Random) -> None:
        self._rnd = rnd

    def ask(self, kind: Kind, groups: tuple[Group, ...]) -> str:
        """A question of a kind about one group, or (comparisons) about two."""
        verb, _, name = kind.partition("_")
        if kind in NUMBERS:
            x, y = (self.phrase(group, many=True) for group in groups)
            return self._pick(NUMBERS[kind]).format(x=x, y=y)
        if verb == "equal":
            x, y = (self.phrase(group) for group in groups)
            templates = (*COMPARE, *COMPARE_MATERIAL * 2) if name == "material" else COMPARE
            return self._pick(templates).format(name=name, x=x, y=y, ax=with_article(x))
        (group,) = groups
        if verb == "query":
            one = self.phrase(group)
            return self._pick(QUERY[name]).format(one=one, a=with_article(one))  # type: ignore[index]
        return self._exist_or_count(kind, group)

    def _exist_or_count(self, kind: Kind, group: Group) -> str:
        count = kind == "count"
        origin = group.origin
        if isinstance(origin, Alike):
            return self._alike(count, group, origin)
        if isinstance(origin, Either):
            return self._pick(COUNT_WHERE).format(
                head=self.head(group.description, True), where=self.predicate(origin, True)
            )
        if isinstance(origin, Side) and self._chance(0.3):
            head = self.head(group.description)
            return self._pick(ANCHOR_FIRST[kind]).format(
                anchor=with_article(self.phrase(origin.of)),
                rel=self._pick(RELATIONS[origin.direction]),
                a=with_article(head),
                many=plural(head),
            )
        if origin is not None and self._chance(0.4 if count else 0.15):
            return self._pick(COUNT_WHERE if count else EXIST_WHERE).format(
                head=self.head(group.description, True), where=self.predicate(origin, True)
            )
        if origin is None and self._chance(0.2):
            seen = "How many {many} are visible?" if count else "Are any {many} visible?"
            return seen.format(many=self.phrase(group, many=True))
        templates = COUNT if count else EXIST
        return self._pick(templates).format(
            a=with_article(self.phrase(group)), many=self.phrase(group, many=True)
        )

    def _alike(self, count: bool, group: Group, origin: Alike) -> str:
        head = self.head(group.description)
        other = self._chance(0.6)
        anything = "anything else" if group.description == (None,) * 4 and self._chance(0.7) else ""
        return self._pick(ALIKE_COUNT if count else ALIKE_EXIST).format(
            another=anything or (f"another {head}" if other else with_article(head)),
            others=f"other {plural(head)}" if other else plural(head),
            have="have",
            name=origin.attribute,
            anchor=self.phrase(origin.of),
            **{"as": self._as(origin, many=count)},
        )

    def phrase(self, group: Group, many: bool = False) -> str:
        """'small red cube that is left of the ball', without an article."""
        head = self.head(group.description, many)
        match group.origin:
            case None:
                return head
            case Alike() as origin:
                other = "other " if self._chance(0.3) else ""
                return f"{other}{head} {self._as(origin, many)}"
            case origin:
                link = ("that are " if many else "that is ") if self._chance(0.5) else ""
                return f"{head} {link}{self.predicate(origin, many)}"

    def head(self, description: Description, many: bool = False) -> str:
        """'tiny red metal ball': size, colour, material, shape, each in one of its synonyms."""
        size, color, material, shape = description
        words = [self._synonym(word) for word in (size, color, material) if word is not None]
        words.append(self._pick(ANY_SHAPE) if shape is None else self._synonym(shape))
        return plural(" ".join(words)) if many else " ".join(words)

    def predicate(self, origin: Side | Alike | Both | Either, many: bool = False) -> str:
        """Where a group comes from, as what follows 'is' or 'are'."""
        match origin:
            case Side(direction, of):
                return f"{self._pick(RELATIONS[direction])} the {self.phrase(of)}"
            case Both(first, second):
                both = "both " if self._chance(0.5) else ""
                return f"{both}{self.predicate(first)} and {self.predicate(second)}"
            case Either(first, second):
                either = "either " if self._chance(0.5) else ""
                return f"{either}{self.phrase(first, many=True)} or {self.phrase(second, many=True)}"
            case Alike(attribute, of):
                return f"the same {attribute} as the {self.phrase(of)}"

    def _as(self, origin: Alike, many: bool = False) -> str:
        """'that is the same size as the red cube'."""
        name, anchor = origin.attribute, self.phrase(origin.of)
        be, have = ("are", "have") if many else ("is", "has")
        forms = [
            f"that {be} the same {name} as the {anchor}",
            f"that {have} the same {name} as the {anchor}",
            f"of the same {name} as the {anchor}",
        ]
        if name == "material":
            forms += [
                f"made of the same material as the {anchor}",
                f"that {be} made of the same material as the {anchor}",
            ]
        return self._pick(tuple(forms))

    def _synonym(self, word: str) -> str:
        choices = SYNONYMS.get(word)
        return word if choices is None else self._pick(choices)

    def _pick(self, choices: tuple[str, ...]) -> str:
        return choices[int(self._rnd.random() * len(choices))]

    def _chance(self, share: float) -> bool:
        return self._rnd.random() < share


def with_article(phrase: str) -> str:
    if phrase.startswith("other "):
        return f"an{phrase}"
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """All of the nouns used here take a plain s."""
    return phrase + "s"
