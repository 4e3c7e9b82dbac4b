import numpy as np
import pytest

from launch.datasets.clevr_style.scene import Scene, relationships, sample_scene
from launch.datasets.clevr_style.vocabulary import COLORS, MATERIALS, SHAPES

pytest.importorskip("mitsuba")

from launch.datasets.clevr_style.render import render

RESOLUTION = (48, 32)


def _lone(shape: str, material: str, color: str) -> Scene:
    """A large object in the middle of an otherwise empty scene, in the lights of a sampled one."""
    scene = sample_scene(0, "test", 0)
    item = scene["objects"][0]
    item.update({"shape": shape, "material": material, "color": color, "size": "large"})
    item["3d_coords"] = [0.0, 0.0, 0.7]
    scene["objects"] = [item]
    scene["relationships"] = relationships([(0.0, 0.0, 0.7)])
    return scene


def test_a_render_is_repeatable_and_lit_like_clevr() -> None:
    scene = sample_scene(0, "test", 1, RESOLUTION)
    image = render(scene, RESOLUTION, 4)
    assert image.shape == (32, 48, 3)
    assert image.dtype == np.uint8
    assert (image == render(scene, RESOLUTION, 4)).all()
    # CLEVR v1.0's median image: about 105 at the top, brighter at the bottom, nearly grey
    assert 85 < image[0].mean() < 125
    assert image[0].std(axis=-1).max() < 12
    assert image[-1].mean() > image[0].mean()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("material", MATERIALS)
def test_the_middle_has_the_objects_colour(shape: str, material: str) -> None:
    for color in ("red", "blue", "green"):
        image = render(_lone(shape, material, color), RESOLUTION, 4).astype(float)
        middle = image[12:16, 22:27].mean(axis=(0, 1))
        assert middle.argmax() == np.argmax(COLORS[color])
        assert middle.max() > 1.2 * np.median(middle)


def test_a_metal_sphere_shines_and_a_rubber_one_does_not() -> None:
    spread = {}
    for material in MATERIALS:
        image = render(_lone("sphere", material, "gray"), (96, 64), 4).astype(float).mean(axis=2)
        spread[material] = np.ptp(image[22:34, 42:54])
    assert spread["metal"] > 1.5 * spread["rubber"]
