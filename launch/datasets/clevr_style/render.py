"""Render a scene graph to an RGB image in CLEVR's look with Mitsuba 3 (`scalar_rgb`, one thread).

CLEVR's base scene: a grey ground, three area lamps (key, fill, back) and an even overhead light. `rubber` is
a matte surface, `metal` a coloured shiny one; edges are bevelled.
"""

from functools import cache
from typing import Any, Final, cast

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from launch.datasets.clevr_style.camera import FOCAL_OVER_WIDTH, Camera, ids_at, object_ids
from launch.datasets.clevr_style.denoise import denoise
from launch.datasets.clevr_style.mesh import Mesh, rounded_cube, rounded_cylinder
from launch.datasets.clevr_style.scene import Scene, SceneObject, solid_of
from launch.datasets.clevr_style.vocabulary import COLORS, SIZES

mi.set_variant("scalar_rgb")

MAX_DEPTH: Final = 3  # direct light and one bounce: more is not seen at this size
GROUND_REFLECTANCE: Final = 0.33

# From a least-squares fit of the empty ground to the median of CLEVR v1.0 images, then by eye.
# The sky is dark at the horizon and even overhead: that gives shiny objects their dark bands.
SKY_RADIANCE: Final = 0.61
SKY_RISE: Final = (np.deg2rad(15), np.deg2rad(55))
LAMP_HALF_SIDE: Final = {"key": 0.8, "fill": 0.8, "back": 0.5}
LAMP_RADIANCE: Final = {"key": (23.0, 21.2, 18.6), "fill": (3.7, 4.0, 5.0), "back": (6.0, 6.2, 5.4)}

RUBBER_REFLECTANCE: Final = 0.68  # of the colour: CLEVR's matte objects are darker than its shiny ones
SUB_PIXELS: Final = (1 / 6, 1 / 2, 5 / 6)  # centres of 3 x 3 sub-pixels


def render(scene: Scene, resolution: tuple[int, int], samples: int) -> NDArray[np.uint8]:
    """Render to sRGB, [height, width, 3]. `scene` must carry `camera` and `lamps`."""
    description = _description(scene, resolution, samples)
    # Parts are loaded one by one: nested ones are taken in an order that differs from run to run, and with it
    # which lamp a random number chooses.
    parts = {name: _load(part) if isinstance(part, dict) else part for name, part in description.items()}
    built = _load(parts)
    noisy = np.array(mi.render(built, seed=cast(Any, scene["image_index"])), dtype=np.float32)[..., :3]
    x, y, z = scene["camera"]
    camera, solids = Camera((x, y, z)), [solid_of(item) for item in scene["objects"]]
    ids = object_ids(camera, solids, resolution)
    shiny = np.array([item["material"] == "metal" for item in scene["objects"]] + [False])

    def sub_ids_at(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        sub_x = (columns[:, None] + np.tile(SUB_PIXELS, len(SUB_PIXELS))).ravel()
        sub_y = (rows[:, None] + np.repeat(SUB_PIXELS, len(SUB_PIXELS))).ravel()
        return ids_at(camera, solids, sub_x, sub_y, resolution).reshape(len(rows), -1)

    return _to_srgb(denoise(noisy, ids, shiny[ids], sub_ids_at))


def _to_srgb(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear [0, 1] to 8-bit sRGB (IEC 61966-2-1)."""
    clipped = np.clip(linear, 0.0, 1.0)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def _description(scene: Scene, resolution: tuple[int, int], samples: int) -> dict[str, Any]:
    transform = mi.ScalarTransform4f
    width, height = resolution
    # One block for the whole image: with more, their order changes the last bits where they overlap.
    block = 1 << (max(resolution) - 1).bit_length()
    description: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": MAX_DEPTH, "hide_emitters": True, "block_size": block},
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
        "sky": _sky(),
    }
    for name, place in scene["lamps"].items():
        description[f"lamp_{name}"] = {
            "type": "rectangle",
            "to_world": transform().look_at(origin=place, target=[0, 0, 0], up=[0, 0, 1])
            @ transform().scale(LAMP_HALF_SIDE[name]),
            "emitter": {"type": "area", "radiance": _rgb(LAMP_RADIANCE[name])},
        }
    for index, item in enumerate(scene["objects"]):
        description[f"object_{index}"] = _shape(item)
    return description


def _load(description: dict[str, Any]) -> Any:
    return mi.load_dict(description, parallel=False)


def _sky() -> dict[str, Any]:
    elevation = np.linspace(np.pi / 2, -np.pi / 2, 32)[:, None, None]
    radiance = np.interp(elevation, SKY_RISE, (0.0, SKY_RADIANCE))
    pixels = np.broadcast_to(radiance, (32, 8, 3)).astype(np.float32)
    upright = mi.ScalarTransform4f().rotate([1, 0, 0], 90)  # the plugin's own up is y
    return {"type": "envmap", "bitmap": mi.Bitmap(np.ascontiguousarray(pixels)), "to_world": upright}


def _rgb(value: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "rgb", "value": list(value)}


def _surface(item: SceneObject) -> dict[str, Any]:
    color = tuple(channel / 255 for channel in COLORS[item["color"]])
    if item["material"] == "rubber":
        return {
            "type": "diffuse",
            "reflectance": _rgb(tuple(RUBBER_REFLECTANCE * channel for channel in color)),
        }
    return {"type": "principled", "base_color": _rgb(color), "metallic": 1.0, "roughness": 0.1}


def _shape(item: SceneObject) -> Any:
    half = SIZES[item["size"]]
    if item["shape"] == "sphere":
        return {"type": "sphere", "center": item["3d_coords"], "radius": half, "bsdf": _surface(item)}
    unit = _unit_mesh(item["shape"])
    angle = item["rotation"]
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(_surface(item))
    mesh = mi.Mesh(
        item["shape"], len(unit.vertices), len(unit.faces), has_vertex_normals=True, props=properties
    )
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = (unit.vertices @ turn.T * half + item["3d_coords"]).ravel()
    parameters["vertex_normals"] = (unit.normals @ turn.T).ravel()
    parameters["faces"] = unit.faces.ravel()
    parameters.update()
    return mesh


@cache
def _unit_mesh(shape: str) -> Mesh:
    return rounded_cube() if shape == "cube" else rounded_cylinder()
