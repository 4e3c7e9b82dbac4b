"""English for descriptions, questions and relations: CLEVR's synonyms, this project's own sentences."""

import random
from collections.abc import Mapping
from typing import Final

from launch.datasets.clevr_style.programs import Description, Kind
from launch.datasets.clevr_style.vocabulary import Direction

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

# {one}: 'red cube'; {a}: 'a red cube'; {many}: 'red cubes'
QUESTIONS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "exist": (
        "Are there any {many}?",
        "Is there {a}?",
        "Can you see {a}?",
        "Do you see any {many}?",
        "Is {a} visible?",
        "Are any {many} visible?",
        "Does the picture show {a}?",
    ),
    "count": (
        "How many {many} are there?",
        "How many {many} can you see?",
        "What number of {many} are there?",
        "What is the number of {many}?",
        "How many {many} are visible?",
        "Count the {many}.",
    ),
    "query_size": (
        "What size is the {one}?",
        "How big is the {one}?",
        "What is the size of the {one}?",
        "The {one} is what size?",
        "The {one} has what size?",
        "There is {a}; what size is it?",
        "There is {a}; how big is it?",
    ),
    "query_color": (
        "What color is the {one}?",
        "What is the color of the {one}?",
        "The {one} is what color?",
        "The {one} has what color?",
        "Which color does the {one} have?",
        "There is {a}; what color is it?",
    ),
    "query_material": (
        "What is the {one} made of?",
        "What material is the {one}?",
        "What is the material of the {one}?",
        "The {one} is made of what material?",
        "There is {a}; what is it made of?",
        "There is {a}; what material is it?",
    ),
    "query_shape": (
        "What shape is the {one}?",
        "What is the shape of the {one}?",
        "The {one} is what shape?",
        "The {one} has what shape?",
        "Which shape does the {one} have?",
        "There is {a}; what shape is it?",
    ),
}

# The anchor first, then the question about what lies on one side of it ({rel} it).
ANCHOR_FIRST: Final[Mapping[Kind, tuple[str, ...]]] = {
    "exist": (
        "There is {anchor}; are there any {many} {rel} it?",
        "There is {anchor}; is there {a} {rel} it?",
    ),
    "count": (
        "There is {anchor}; how many {many} are {rel} it?",
        "There is {anchor}; count the {many} {rel} it.",
    ),
    "query_size": ("There is {anchor}; what size is the {one} {rel} it?",),
    "query_color": ("There is {anchor}; what color is the {one} {rel} it?",),
    "query_material": ("There is {anchor}; what is the {one} {rel} it made of?",),
    "query_shape": ("There is {anchor}; what shape is the {one} {rel} it?",),
}


def zero_hop_question(description: Description, kind: Kind, rnd: random.Random) -> str:
    one = noun_phrase(description, rnd)
    return _ask(rnd.choice(QUESTIONS[kind]), one, plural(one))


def one_hop_question(
    anchor: Description, direction: Direction, description: Description, kind: Kind, rnd: random.Random
) -> str:
    one, base = noun_phrase(description, rnd), noun_phrase(anchor, rnd)
    relation = rnd.choice(RELATIONS[direction])
    if rnd.random() < 0.4:
        template = rnd.choice(ANCHOR_FIRST[kind])
        return template.format(
            anchor=with_article(base), a=with_article(one), one=one, many=plural(one), rel=relation
        )
    link = rnd.random() < 0.5
    side = f"{relation} the {base}"
    singular = f"{one} {'that is ' if link else ''}{side}"
    return _ask(rnd.choice(QUESTIONS[kind]), singular, f"{plural(one)} {'that are ' if link else ''}{side}")


def noun_phrase(description: Description, rnd: random.Random) -> str:
    """'tiny red metal ball': size, colour, material, shape, each in one of its synonyms."""
    size, color, material, shape = description
    words = [_synonym(word, rnd) for word in (size, color, material) if word is not None]
    words.append(rnd.choice(ANY_SHAPE) if shape is None else _synonym(shape, rnd))
    return " ".join(words)


def with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """All of the nouns used here take a plain s."""
    return phrase + "s"


def _ask(template: str, one: str, many: str) -> str:
    return template.format(one=one, many=many, a=with_article(one))


def _synonym(word: str, rnd: random.Random) -> str:
    choices = SYNONYMS.get(word)
    return word if choices is None else rnd.choice(choices)
