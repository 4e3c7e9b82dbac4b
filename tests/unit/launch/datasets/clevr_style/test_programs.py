import pytest

from launch.datasets.clevr_style.programs import ProgramError, execute, one_hop, zero_hop
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


def test_zero_hop(scene: Scene) -> None:
    assert execute(zero_hop((None, "red", None, None), "count"), scene) == "2"
    assert execute(zero_hop((None, "red", None, "sphere"), "exist"), scene) == "yes"
    assert execute(zero_hop((None, "blue", None, "cube"), "exist"), scene) == "no"
    assert execute(zero_hop((None, None, "rubber", None), "query_color"), scene) == "blue"
    assert execute(zero_hop((None, None, None, "cube"), "query_size"), scene) == "large"
    assert execute(zero_hop((None, None, None, None), "count"), scene) == "3"


def test_one_hop(scene: Scene) -> None:
    cube, blue = (None, None, None, "cube"), (None, "blue", None, None)
    assert execute(one_hop(cube, "right", (None, None, None, "sphere"), "count"), scene) == "2"
    assert execute(one_hop(cube, "left", (None, None, None, None), "exist"), scene) == "no"
    assert execute(one_hop(blue, "left", (None, None, None, "sphere"), "query_color"), scene) == "red"


@pytest.mark.parametrize(
    "program",
    [
        (),
        (("filter_color", "red"),),
        (("unique", None), ("query_color", None)),
        (("filter_taste", "sweet"), ("count", None)),
        (("relate", "above"), ("count", None)),
        (("filter_color", "red"), ("relate", "left"), ("count", None)),
        (("jump", None),),
    ],
)
def test_a_program_without_an_answer_is_refused(
    scene: Scene, program: tuple[tuple[str, str | None], ...]
) -> None:
    with pytest.raises(ProgramError):
        execute(program, scene)
