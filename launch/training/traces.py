"""A question's program as a reasoning trace: which objects it is about, step by step, then the answer.

The format is `shared.semantic.trace`'s. Every word of a trace carries what helps to learn it: the objects
that it is about (where attention should look) and the constraints of the set that is being listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from launch.datasets.clevr_style.programs import Node, Program, Result
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, VALUES
from shared.semantic.trace import ANSWER, NEXT, NONE, pointer

#: Flags of a constraint: one a relation, one a shared attribute, one for a union.
FLAGS: Final = (*DIRECTIONS, *(f"same_{name}" for name in ATTRIBUTES), "union")
#: Attribute index + 1 (0: any) for each of ATTRIBUTES, then FLAGS as 0 or 1.
Constraint = tuple[int, ...]
FREE: Final[Constraint] = (0,) * (len(ATTRIBUTES) + len(FLAGS))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a trace. `about`: the objects that decide it; none at the end of a set; None: not told."""

    text: str
    about: tuple[int, ...] | None
    constraint: Constraint


def trace(
    program: Program,
    results: Sequence[Result],
    patch_of: Sequence[int],
    answer: str,
    direct: bool = False,
) -> list[Word]:
    """The words of a trace, up to and with the answer; `direct` leaves all but the answer out.

    `results` are the program's, node by node; `patch_of` gives the patch of each object.
    """
    about = _read_by(program, len(program) - 1, results)
    if direct:
        last = constraint(program, shown(program)[-1])
        return [Word(ANSWER, None, last), Word(answer, about, last)]
    words: list[Word] = []
    for number in shown(program):
        if words:
            words.append(Word(NEXT, (), words[-1].constraint))
        words += _step(program, number, results, patch_of)
    read = program[-1].function.startswith("query_")
    final = words[-1].constraint
    return [*words, Word(ANSWER, (), final), Word(answer, about if read else None, final)]


def _step(program: Program, number: int, results: Sequence[Result], patch_of: Sequence[int]) -> list[Word]:
    """The objects of one set in raster order, and what the program then reads of them on its way."""
    chosen = results[number]
    assert isinstance(chosen, tuple)
    limits = constraint(program, number)
    ordered = sorted(chosen, key=lambda index: patch_of[index])
    words = [Word(pointer(patch_of[index]), (index,), limits) for index in ordered]
    words = words or [Word(NONE, (), limits)]
    for later, node in enumerate(program[:-1]):
        source = node.inputs[0] if node.inputs else -1
        if source >= 0 and program[source].function == "unique":
            source = program[source].inputs[0]
        queried = node.function.startswith("query_")
        if source == number and (queried or node.function == "count"):
            read = tuple(ordered) if queried else None
            words.append(Word(str(results[later]), read, limits))
    return words


def shown(program: Program) -> list[int]:
    """The nodes whose sets a trace lists: those that are counted, read, tested, made unique or united."""
    taken: list[int] = []
    for node in program:
        if node.function in ("unique", "count", "exist", "union"):
            taken += [i for i in node.inputs if i not in taken and program[i].function != "unique"]
    return sorted(taken)


def _read_by(program: Program, number: int, results: Sequence[Result]) -> tuple[int, ...]:
    """The objects that the last function reads."""
    about: set[int] = set()
    for i in program[number].inputs:
        found = results[i]
        about |= set(found if isinstance(found, tuple) else _read_by(program, i, results))
    return tuple(sorted(about))


def constraint(program: Program, number: int) -> Constraint:
    """What a set's members have in common, from its filters back to where they start."""
    named = [0] * len(ATTRIBUTES)
    flags = [0] * len(FLAGS)

    def mark(node: Node) -> None:
        if node.function == "relate":
            flags[FLAGS.index(str(node.value))] = 1
        elif node.function == "intersect":
            for i in node.inputs:
                mark(program[i])
        elif node.function in FLAGS:
            flags[FLAGS.index(node.function)] = 1

    node = program[number]
    while node.function.startswith("filter_"):
        column = ATTRIBUTES.index(node.function.removeprefix("filter_"))
        named[column] = VALUES[ATTRIBUTES[column]].index(str(node.value)) + 1
        node = program[node.inputs[0]]
    mark(node)
    return (*named, *flags)
