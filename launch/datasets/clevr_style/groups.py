"""What questions speak of: groups of objects by description and origin, on a scene as bit masks.

'The small cubes that are left of the red ball' is the description (small, cube) of what comes from one
side of another group. From such a tree come the objects (a mask, bit i for object i), the program, and, in
`wording`, the words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from launch.datasets.clevr_style.programs import Node, Program, attributes_of
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, Attribute, Direction

#: Wanted (size, color, material, shape); None where any will do.
Description = tuple[str | None, str | None, str | None, str | None]
BARE: Description = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Side:
    """What lies on one side of the only object of a group."""

    direction: Direction
    of: "Group"


@dataclass(frozen=True, slots=True)
class Alike:
    """What shares an attribute with the only object of a group, itself left out."""

    attribute: Attribute
    of: "Group"


@dataclass(frozen=True, slots=True)
class Both:
    """What lies on two sides at once."""

    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class Either:
    """What is in one of two groups, or in both."""

    first: "Group"
    second: "Group"


Origin = Side | Alike | Both | Either | None


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of an origin (None: the whole scene) that fit a description."""

    description: Description
    origin: Origin = None


class SceneMasks:
    """A scene's objects as bits: by value, by side, by likeness, by description."""

    def __init__(self, scene: Scene) -> None:
        self.objects = [attributes_of(item) for item in scene["objects"]]
        self.all = (1 << len(self.objects)) - 1
        self._by_value: list[dict[str | None, int]] = [{None: self.all} for _ in ATTRIBUTES]
        for index, values in enumerate(self.objects):
            for held, value in zip(self._by_value, values, strict=True):
                held[value] = held.get(value, 0) | 1 << index
        self._sides = {
            name: [sum(1 << i for i in row) for row in scene["relationships"][name]] for name in DIRECTIONS
        }

    def side(self, direction: Direction, index: int) -> int:
        return self._sides[direction][index]

    def alike(self, attribute: Attribute, index: int) -> int:
        column = ATTRIBUTES.index(attribute)
        return self._by_value[column][self.objects[index][column]] & ~(1 << index)

    def fitting(self, description: Description) -> int:
        """The objects that a description fits."""
        size, color, material, shape = (
            held.get(value, 0) for held, value in zip(self._by_value, description, strict=True)
        )
        return size & color & material & shape

    @cached_property
    def names(self) -> list[list[tuple[Description, int]]]:
        """Of each object, the 16 descriptions that fit it with all that they fit; the bare one is first."""
        known: dict[Description, int] = {}
        return [
            [(d, known.setdefault(d, self.fitting(d))) for d in _descriptions(values)]
            for values in self.objects
        ]

    def objects_of(self, group: Group) -> int:
        """The mask of a group. The groups inside it must hold one object each (those of `Either`: any)."""
        return self.from_origin(group.origin) & self.fitting(group.description)

    def from_origin(self, origin: Origin) -> int:
        match origin:
            case None:
                return self.all
            case Side(direction, of):
                return self.side(direction, only(self.objects_of(of)))
            case Alike(attribute, of):
                return self.alike(attribute, only(self.objects_of(of)))
            case Both(first, second):
                return self.from_origin(first) & self.from_origin(second)
            case Either(first, second):
                return self.objects_of(first) | self.objects_of(second)


def _descriptions(values: tuple[str, str, str, str]) -> list[Description]:
    """All 16 descriptions that an object of these values fits; the first is the bare one."""
    size, color, material, shape = values
    return list(product((None, size), (None, color), (None, material), (None, shape)))


def bits(mask: int) -> Iterator[int]:
    """The objects of a mask."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def only(mask: int) -> int:
    """The object of a mask that holds one. Raises ValueError for any other."""
    if mask.bit_count() != 1:
        raise ValueError(f"expected one object, found {mask.bit_count()}")
    return mask.bit_length() - 1


class ProgramWriter:
    """Turns groups into nodes; `program` is what was written so far."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    @property
    def program(self) -> Program:
        return tuple(self._nodes)

    def add(self, function: str, *inputs: int, value: str | None = None) -> int:
        self._nodes.append(Node(function, inputs, value))
        return len(self._nodes) - 1

    def group(self, group: Group) -> int:
        """The node that holds a group's objects."""
        place = self._origin(group.origin)
        for attribute, value in zip(ATTRIBUTES, group.description, strict=True):
            if value is not None:
                place = self.add(f"filter_{attribute}", place, value=value)
        return place

    def unique(self, group: Group) -> int:
        return self.add("unique", self.group(group))

    def _origin(self, origin: Origin) -> int:
        match origin:
            case None:
                return self.add("scene")
            case Side(direction, of):
                return self.add("relate", self.unique(of), value=direction)
            case Alike(attribute, of):
                return self.add(f"same_{attribute}", self.unique(of))
            case Both(first, second):
                return self.add("intersect", self._origin(first), self._origin(second))
            case Either(first, second):
                return self.add("union", self.group(first), self.group(second))
