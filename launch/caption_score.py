"""Captions as sets of objects: F1 over (size, colour, material, shape), order and wording aside."""

import re
from collections import Counter

from launch.datasets.clevr_style.vocabulary import VALUES

Described = tuple[str, str, str, str]

_SYNONYMS = {
    "big": "large", "tiny": "small", "matte": "rubber", "metallic": "metal", "shiny": "metal",
    "block": "cube", "ball": "sphere", "grey": "gray",
}  # fmt: skip
_ATTRIBUTE_OF = {value: name for name, values in VALUES.items() for value in values}


def objects_in(caption: str) -> Counter[Described]:
    """The objects a caption names; words up to a shape describe it, what is not said is ''."""
    found: Counter[Described] = Counter()
    said: dict[str, str] = {}
    for word in re.findall(r"[a-z]+", caption.lower()):
        word = _SYNONYMS.get(word, word)
        if word not in _ATTRIBUTE_OF and word.endswith("s"):
            word = _SYNONYMS.get(word[:-1], word[:-1])
        attribute = _ATTRIBUTE_OF.get(word)
        if attribute is None:
            continue
        said[attribute] = word
        if attribute == "shape":
            found[said.get("size", ""), said.get("color", ""), said.get("material", ""), word] += 1
            said = {}
    return found


def caption_f1(answer: str, expected: str) -> float:
    """2 |right| / (|named| + |there|), as multisets of fully right objects; 1 when both name none."""
    named, there = objects_in(answer), objects_in(expected)
    size = named.total() + there.total()
    return 1.0 if size == 0 else 2 * (named & there).total() / size
