"""Functional programs over scene graphs: CLEVR's functions, as a graph of nodes (Johnson et al. 2017).

A node applies a function to the results of earlier nodes; the last node gives the answer. Sets of objects
are tuples of indices into the scene's objects, in their order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from launch.datasets.clevr_style.scene import Scene, SceneObject
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES

ReadAttribute = Literal["query_size", "query_color", "query_material", "query_shape"]
EqualAttribute = Literal["equal_size", "equal_color", "equal_material", "equal_shape"]
CompareNumbers = Literal["equal_integer", "less_than", "greater_than"]
Kind = Literal["exist", "count"] | ReadAttribute | EqualAttribute | CompareNumbers

QUERY_KINDS: Final[tuple[ReadAttribute, ...]] = get_args(ReadAttribute)
EQUAL_KINDS: Final[tuple[EqualAttribute, ...]] = get_args(EqualAttribute)
NUMBER_KINDS: Final[tuple[CompareNumbers, ...]] = get_args(CompareNumbers)


class Node(NamedTuple):
    """`function` applied to the results of the nodes `inputs`; `value` as in ('filter_color', 'red')."""

    function: str
    inputs: tuple[int, ...] = ()
    value: str | None = None


Program = tuple[Node, ...]
#: A set of objects, a number, a truth, or the value of an attribute.
Result = tuple[int, ...] | int | bool | str


class ProgramError(ValueError):
    """A program that has no answer on a scene, or is none."""


def attributes_of(item: SceneObject) -> tuple[str, str, str, str]:
    """(size, color, material, shape) of an object, the order of ATTRIBUTES."""
    return item["size"], item["color"], item["material"], item["shape"]


def execute(program: Program, scene: Scene) -> str:
    """The answer of a program on a scene, as CLEVR writes it ('yes', '3', 'red')."""
    result = evaluate(program, scene)[-1]
    if isinstance(result, tuple):
        raise ProgramError("the program ends with a set of objects, expected an answer")
    return ("yes" if result else "no") if isinstance(result, bool) else str(result)


def evaluate(program: Program, scene: Scene) -> list[Result]:
    """The result of every node. Raises `ProgramError`, one line that names the node."""
    if not program:
        raise ProgramError("the program is empty")
    results: list[Result] = []
    for place, node in enumerate(program):
        try:
            results.append(_apply(node, [results[i] for i in node.inputs], scene))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ProgramError(f"node {place} ({node.function}): {error}") from None
    return results


def from_json(nodes: Sequence[Mapping[str, Any]]) -> Program:
    """A program as CLEVR's question files hold it. Raises `ProgramError`, one line that names the node."""
    program: list[Node] = []
    for place, node in enumerate(nodes):
        try:
            values = node.get("value_inputs") or node.get("side_inputs") or []
            inputs = tuple(int(i) for i in node["inputs"])
            function = str(node.get("function") or node["type"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ProgramError(f"node {place}: {type(error).__name__} {error}") from None
        if not all(0 <= i < place for i in inputs):
            raise ProgramError(f"node {place}: inputs {list(inputs)}, expected earlier nodes")
        program.append(Node(function, inputs, str(values[0]) if values else None))
    return tuple(program)


def to_json(program: Program) -> list[dict[str, Any]]:
    """A program in the fields of CLEVR's question files."""
    return [
        {
            "function": node.function,
            "inputs": list(node.inputs),
            "value_inputs": [] if node.value is None else [node.value],
        }
        for node in program
    ]


def _apply(node: Node, inputs: Sequence[Any], scene: Scene) -> Result:
    function, _, name = node.function.partition("_")
    if name in ATTRIBUTES:
        return _ON_ATTRIBUTES[function](scene["objects"], name, node.value, *inputs)
    if node.function not in _PLAIN:
        raise ValueError("unknown function")
    return _PLAIN[node.function](scene, node.value, *inputs)


def _only(chosen: tuple[int, ...]) -> int:
    if len(chosen) != 1:
        raise ValueError(f"expected one object, found {len(chosen)}")
    return chosen[0]


def _filter(objects: Sequence[Any], name: str, value: str | None, chosen: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in chosen if objects[i][name] == value)


def _same(objects: Sequence[Any], name: str, value: str | None, chosen: tuple[int, ...]) -> tuple[int, ...]:
    one = _only(chosen)
    return tuple(i for i, o in enumerate(objects) if i != one and o[name] == objects[one][name])


def _query(objects: Sequence[Any], name: str, value: str | None, chosen: tuple[int, ...]) -> str:
    return str(objects[_only(chosen)][name])


def _equal(objects: Sequence[Any], name: str, value: str | None, one: str, other: str) -> bool:
    return one == other


def _relate(scene: Scene, value: str | None, chosen: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(scene["relationships"][str(value)][_only(chosen)]))


_ON_ATTRIBUTES: Final[dict[str, Callable[..., Result]]] = {
    "filter": _filter,
    "same": _same,
    "query": _query,
    "equal": _equal,
}
_PLAIN: Final[dict[str, Callable[..., Result]]] = {
    "scene": lambda scene, value: tuple(range(len(scene["objects"]))),
    "unique": lambda scene, value, chosen: (_only(chosen),),
    "relate": _relate,
    "union": lambda scene, value, one, other: tuple(sorted({*one, *other})),
    "intersect": lambda scene, value, one, other: tuple(sorted({*one} & {*other})),
    "count": lambda scene, value, chosen: len(chosen),
    "exist": lambda scene, value, chosen: bool(chosen),
    "equal_integer": lambda scene, value, one, other: one == other,
    "less_than": lambda scene, value, one, other: one < other,
    "greater_than": lambda scene, value, one, other: one > other,
}
