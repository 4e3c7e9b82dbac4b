"""Functional programs over scene graphs: chains of CLEVR's functions, and what each of them means.

A program starts from all objects of a scene; each step narrows, moves or reads that set (Johnson et al.
2017).
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from launch.datasets.clevr_style.scene import Scene, SceneObject
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, Direction

ReadAttribute = Literal["query_size", "query_color", "query_material", "query_shape"]
Kind = Literal["exist", "count"] | ReadAttribute
#: A function and its value: ('filter_color', 'red'), ('relate', 'left'), ('count', None).
Step = tuple[str, str | None]
Program = tuple[Step, ...]

#: Wanted (size, color, material, shape); None where any will do.
Description = tuple[str | None, str | None, str | None, str | None]

QUERY_KINDS: Final[tuple[ReadAttribute, ...]] = get_args(ReadAttribute)


class ProgramError(ValueError):
    """A program that has no answer on a scene, or is none."""


def attributes_of(item: SceneObject) -> tuple[str, str, str, str]:
    """(size, color, material, shape) of an object, the order of ATTRIBUTES."""
    return item["size"], item["color"], item["material"], item["shape"]


def filters(description: Description) -> Program:
    return tuple(
        (f"filter_{name}", value)
        for name, value in zip(ATTRIBUTES, description, strict=True)
        if value is not None
    )


def zero_hop(description: Description, kind: Kind) -> Program:
    """Ask `kind` of the objects that fit a description."""
    unique: Program = () if kind in ("exist", "count") else (("unique", None),)
    return (*filters(description), *unique, (kind, None))


def one_hop(anchor: Description, direction: Direction, description: Description, kind: Kind) -> Program:
    """Ask `kind` of the fitting objects on one side of the only object that fits `anchor`."""
    return (*filters(anchor), ("unique", None), ("relate", direction), *zero_hop(description, kind))


def execute(program: Program, scene: Scene) -> str:
    """The answer of a program on a scene, as CLEVR writes it ('yes', '3', 'red')."""
    objects: Sequence[SceneObject] = scene["objects"]
    chosen = list(range(len(objects)))
    for position, (function, value) in enumerate(program):
        if function.startswith("filter_") and value is not None:
            column = _column(function.removeprefix("filter_"))
            chosen = [index for index in chosen if attributes_of(objects[index])[column] == value]
        elif function == "unique":
            if len(chosen) != 1:
                raise ProgramError(f"step {position}: expected one object, found {len(chosen)}")
        elif function == "relate" and value in scene["relationships"]:
            chosen = list(scene["relationships"][value][_only(chosen, position)])
        elif function == "exist":
            return "yes" if chosen else "no"
        elif function == "count":
            return str(len(chosen))
        elif function.startswith("query_"):
            column = _column(function.removeprefix("query_"))
            return attributes_of(objects[_only(chosen, position)])[column]
        else:
            raise ProgramError(f"step {position}: unknown function {function!r} with value {value!r}")
    raise ProgramError("the program ends without exist, count or query")


def _column(name: str) -> int:
    for column, attribute in enumerate(ATTRIBUTES):
        if attribute == name:
            return column
    raise ProgramError(f"unknown attribute {name!r}, expected one of {', '.join(ATTRIBUTES)}")


def _only(chosen: Sequence[int], position: int) -> int:
    if len(chosen) != 1:
        raise ProgramError(f"step {position}: expected one object, found {len(chosen)}")
    return chosen[0]
