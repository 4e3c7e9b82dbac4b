"""Programs against a scene small enough to read off the answers."""

import pytest

from launch.datasets.clevr_style.programs import (
    Node,
    Program,
    ProgramError,
    evaluate,
    execute,
    from_json,
    to_json,
)
from launch.datasets.clevr_style.scene import GROUND_DIRECTIONS, Scene, SceneObject, relationships


def _object(size: str, color: str, material: str, shape: str, center: list[float]) -> SceneObject:
    return {
        "size": size,
        "color": color,
        "material": material,
        "shape": shape,
        "rotation": 0.0,
        "3d_coords": center,
        "pixel_coords": [0, 0, 1],
    }


@pytest.fixture
def scene() -> Scene:
    """From left to right: a red cube, a red ball, a blue ball."""
    right = GROUND_DIRECTIONS["right"]
    centers = [(right[0] * step, right[1] * step, 0.7) for step in (-2.0, 0.0, 2.0)]
    looks = [
        ("large", "red", "metal", "cube"),
        ("small", "red", "metal", "sphere"),
        ("small", "blue", "rubber", "sphere"),
    ]
    return {
        "image_index": 0,
        "image_filename": "a.png",
        "split": "test",
        "objects": [_object(*look, list(center)) for look, center in zip(looks, centers, strict=True)],
        "directions": {},
        "relationships": relationships(centers),
    }


def chain(*steps: tuple[str, str | None]) -> Program:
    """A program in which every node takes the one before it."""
    nodes = [Node("scene")]
    nodes += [Node(function, (place,), value) for place, (function, value) in enumerate(steps)]
    return tuple(nodes)


CUBE = (("filter_shape", "cube"), ("unique", None))
BLUE = (("filter_color", "blue"), ("unique", None))


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ([("filter_color", "red"), ("count", None)], "2"),
        ([("filter_color", "blue"), ("filter_shape", "cube"), ("exist", None)], "no"),
        ([("filter_material", "rubber"), ("unique", None), ("query_color", None)], "blue"),
        ([*CUBE, ("query_size", None)], "large"),
        ([*CUBE, ("relate", "right"), ("filter_shape", "sphere"), ("count", None)], "2"),
        ([*CUBE, ("relate", "left"), ("exist", None)], "no"),
        ([*CUBE, ("same_color", None), ("count", None)], "1"),
        ([*BLUE, ("same_size", None), ("unique", None), ("query_shape", None)], "sphere"),
    ],
)
def test_chains(scene: Scene, steps: list[tuple[str, str | None]], answer: str) -> None:
    assert execute(chain(*steps), scene) == answer


def test_two_branches(scene: Scene) -> None:
    red = (Node("scene"), Node("filter_color", (0,), "red"))
    balls = (Node("scene"), Node("filter_shape", (2,), "sphere"))
    for function, found in (("union", (0, 1, 2)), ("intersect", (1,))):
        assert evaluate((*red, *balls, Node(function, (1, 3))), scene)[-1] == found
    counts = (Node("count", (1,)), Node("count", (3,)))
    for function, said in (("equal_integer", "yes"), ("less_than", "no"), ("greater_than", "no")):
        assert execute((*red, *balls, *counts, Node(function, (4, 5))), scene) == said
    ends = (Node("unique", (1,)), Node("query_size", (4,)))
    blue = (
        Node("scene"),
        Node("filter_color", (0,), "blue"),
        Node("scene"),
        Node("filter_shape", (2,), "cube"),
    )
    compared = (
        *blue,
        Node("unique", (1,)),
        Node("unique", (3,)),
        Node("query_size", (4,)),
        Node("query_size", (5,)),
    )
    assert execute((*compared, Node("equal_size", (6, 7))), scene) == "no"
    assert ends[0].function == "unique"


@pytest.mark.parametrize(
    "program",
    [
        (),
        chain(("filter_color", "red")),
        chain(("unique", None), ("query_color", None)),
        chain(("filter_taste", "sweet"), ("count", None)),
        chain(("unique", None), ("relate", "above"), ("count", None)),
        chain(("filter_color", "red"), ("relate", "left"), ("count", None)),
        chain(("jump", None)),
        (Node("scene"), Node("count", (0, 0))),
    ],
)
def test_a_program_without_an_answer_is_refused(scene: Scene, program: Program) -> None:
    with pytest.raises(ProgramError) as raised:
        execute(program, scene)
    assert "\n" not in str(raised.value)


def test_programs_are_read_as_clevr_writes_them(scene: Scene) -> None:
    nodes = [
        {"type": "scene", "inputs": [], "value_inputs": []},
        {"function": "filter_color", "inputs": [0], "value_inputs": ["red"]},
        {"type": "count", "inputs": [1], "side_inputs": []},
    ]
    program = from_json(nodes)
    assert execute(program, scene) == "2"
    assert from_json(to_json(program)) == program
    for broken in ([{"type": "count", "inputs": [0]}], [{"inputs": []}], [{"type": "scene", "inputs": None}]):
        with pytest.raises(ProgramError, match="node 0"):
            from_json(broken)
