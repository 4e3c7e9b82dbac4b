"""Render a scene graph to an RGB image in CLEVR's look with Mitsuba 3 (`scalar_rgb`, one thread).

CLEVR's base scene: a grey ground, three area lamps (key, fill, back) and a dim overhead light. `rubber` is a matte
surface, `metal` a coloured shiny one; edges are bevelled.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from launch.datasets.clevr_style.camera import FOCAL_OVER_WIDTH
from launch.datasets.clevr_style.mesh import Mesh, rounded_cube, rounded_cylinder
from launch.datasets.clevr_style.vocabulary import COLORS, SIZES

if TYPE_CHECKING:
    from launch.datasets.clevr_style.scene import Scene, SceneObject

mi.set_variant("scalar_rgb")

MAX_DEPTH: Final = 3  # direct light and one bounce: more is not seen at this size
GROUND_REFLECTANCE: Final = 0.33

# Least-squares fit of the empty ground's brightness to the median of CLEVR v1.0 images (linear RGB, rms 0.013).
AMBIENT: Final = (0.41, 0.41, 0.41)
LAMP_HALF_SIDE: Final = 1.0
LAMP_RADIANCE: Final = {"key": (13.8, 12.7, 11.2), "fill": (2.4, 2.6, 3.2), "back": (1.5, 1.6, 1.3)}


def render(scene: "Scene", resolution: tuple[int, int], samples: int) -> NDArray[np.uint8]:
    """Render to sRGB, [height, width, 3]. `scene` must carry `camera` and `lamps` (made by `sample_scene`)."""
    built = mi.load_dict(_description(scene, resolution, samples))
    image = mi.render(built, seed=scene["image_index"] & 0x7FFFFFFF)
    bitmap = mi.Bitmap(image).convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.UInt8, srgb_gamma=True)
    return np.array(bitmap, dtype=np.uint8)


def _description(scene: "Scene", resolution: tuple[int, int], samples: int) -> dict[str, Any]:
    transform = mi.ScalarTransform4f
    width, height = resolution
    description: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": MAX_DEPTH, "hide_emitters": True},
        "sensor": {
            "type": "perspective",
            "fov": float(np.rad2deg(2 * np.arctan(0.5 / FOCAL_OVER_WIDTH))),
            "fov_axis": "x",
            "to_world": transform().look_at(origin=scene["camera"], target=[0, 0, 0], up=[0, 0, 1]),
            "film": {"type": "hdrfilm", "width": width, "height": height, "rfilter": {"type": "tent"}},
            "sampler": {"type": "multijitter", "sample_count": samples},
        },
        "ground": {
            "type": "rectangle",
            "to_world": transform().scale([60, 60, 1]),
            "bsdf": {"type": "diffuse", "reflectance": _rgb((GROUND_REFLECTANCE,) * 3)},
        },
        "ambient": {"type": "constant", "radiance": _rgb(AMBIENT)},
    }
    for name, place in scene["lamps"].items():
        description[f"lamp_{name}"] = {
            "type": "rectangle",
            "to_world": transform().look_at(origin=place, target=[0, 0, 0], up=[0, 0, 1])
            @ transform().scale(LAMP_HALF_SIDE),
            "emitter": {"type": "area", "radiance": _rgb(LAMP_RADIANCE[name])},
        }
    for index, item in enumerate(scene["objects"]):
        description[f"object_{index}"] = _shape(item)
    return description


def _rgb(value: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "rgb", "value": list(value)}


def _surface(item: "SceneObject") -> dict[str, Any]:
    color = tuple(channel / 255 for channel in COLORS[item["color"]])
    if item["material"] == "rubber":
        return {"type": "diffuse", "reflectance": _rgb(color)}
    return {"type": "principled", "base_color": _rgb(color), "metallic": 0.9, "roughness": 0.18}


def _shape(item: "SceneObject") -> Any:
    half = SIZES[item["size"]]
    if item["shape"] == "sphere":
        return {"type": "sphere", "center": item["3d_coords"], "radius": half, "bsdf": _surface(item)}
    unit = _unit_mesh(item["shape"])
    angle = item["rotation"]
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(_surface(item))
    mesh = mi.Mesh(item["shape"], len(unit.vertices), len(unit.faces), has_vertex_normals=True, props=properties)
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = (unit.vertices @ turn.T * half + item["3d_coords"]).ravel()
    parameters["vertex_normals"] = (unit.normals @ turn.T).ravel()
    parameters["faces"] = unit.faces.ravel()
    parameters.update()
    return mesh


@cache
def _unit_mesh(shape: str) -> Mesh:
    return rounded_cube() if shape == "cube" else rounded_cylinder()
