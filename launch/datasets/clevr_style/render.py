"""Render a scene graph to an RGB image in CLEVR's look with Mitsuba 3 (`scalar_rgb`, one thread).

CLEVR's base scene: a grey ground, three area lamps (key, fill, back) and an even overhead light. `rubber` is
a matte surface, `metal` a coloured shiny one; edges are bevelled.
"""

from collections.abc import Sequence
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

#: Left, top, right, bottom in pixels.
Box = tuple[int, int, int, int]

MAX_DEPTH: Final = 3  # direct light and one bounce: more is not seen at this size

# From a least-squares fit of ground and matte pixels, shadows included, of 10 scenes to their CLEVR v1.0
# images, in linear light: three lamps of 1 x 1 and an even sky. Shiny objects of CLEVR do not mirror that
# sky: they are rendered under a darker one, over a ground that is as bright under it.
GROUND_REFLECTANCE, SKY_RADIANCE = 0.46, 0.3
MIRRORED_GROUND, MIRRORED_SKY = 0.98, 0.09
LAMP_HALF_SIDE: Final = 0.5
LAMP_RADIANCE: Final = {"key": (37.6, 34.8, 29.5), "fill": (6.5, 6.7, 8.5), "back": (10.7, 9.5, 9.7)}
#: How often a path asks each light, in proportion to what it gives the ground: less noise for the same work.
SAMPLING_WEIGHT: Final = {"sky": 5.0, "key": 2.0, "back": 2.0, "fill": 1.0}

METAL_ROUGHNESS: Final = 0.2
RUBBER_REFLECTANCE: Final = 0.68  # of the colour: CLEVR's matte objects are darker than its shiny ones
SUB_PIXELS: Final = (1 / 6, 1 / 2, 5 / 6)  # centres of 3 x 3 sub-pixels


def render(scene: Scene, resolution: tuple[int, int], samples: int) -> NDArray[np.uint8]:
    """Render to sRGB, [height, width, 3]. `scene` must carry `camera` and `lamps`."""
    x, y, z = scene["camera"]
    camera, solids = Camera((x, y, z)), [solid_of(item) for item in scene["objects"]]
    ids = object_ids(camera, solids, resolution)
    shiny = np.array([item["material"] == "metal" for item in scene["objects"]] + [False])
    noisy = _trace(scene, resolution, samples, (GROUND_REFLECTANCE, SKY_RADIANCE), [(0, 0, *resolution)])
    boxes = [_box(ids == index) for index in np.flatnonzero(shiny) if (ids == index).any()]
    mirrored = _trace(scene, resolution, samples, (MIRRORED_GROUND, MIRRORED_SKY), boxes)
    noisy = np.where(shiny[ids][..., None], mirrored, noisy)

    def sub_ids_at(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        sub_x = (columns[:, None] + np.tile(SUB_PIXELS, len(SUB_PIXELS))).ravel()
        sub_y = (rows[:, None] + np.repeat(SUB_PIXELS, len(SUB_PIXELS))).ravel()
        return ids_at(camera, solids, sub_x, sub_y, resolution).reshape(len(rows), -1)

    return _to_srgb(denoise(noisy, ids, shiny[ids], sub_ids_at))


def _trace(
    scene: Scene,
    resolution: tuple[int, int],
    samples: int,
    surroundings: tuple[float, float],
    boxes: Sequence[Box],
) -> NDArray[np.float32]:
    """Linear RGB of some boxes of the picture, zero elsewhere, [height, width, 3].

    `surroundings`: the ground's reflectance and the sky's radiance.
    """
    width, height = resolution
    image = np.zeros((height, width, 3), np.float32)
    if not boxes:
        return image
    # Parts are loaded one by one: nested ones are taken in an order that differs from run to run, and with it
    # which lamp a random number chooses.
    description = _description(scene, resolution, *surroundings)
    parts = {name: _load(part) if isinstance(part, dict) else part for name, part in description.items()}
    built = _load(parts)
    for left, top, right, bottom in boxes:
        sensor = _load(_sensor(scene, resolution, samples, (left, top, right, bottom)))
        seen = mi.render(built, sensor=sensor, seed=cast(Any, scene["image_index"]))
        image[top:bottom, left:right] = np.array(seen, dtype=np.float32)[..., :3]
    return image


def _box(mask: NDArray[np.bool_]) -> Box:
    """The smallest box round a mask: left, top, right, bottom in pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _to_srgb(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear [0, 1] to 8-bit sRGB (IEC 61966-2-1)."""
    clipped = np.clip(linear, 0.0, 1.0)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def _sensor(scene: Scene, resolution: tuple[int, int], samples: int, box: Box) -> dict[str, Any]:
    left, top, right, bottom = box
    return {
        "type": "perspective",
        "fov": float(np.rad2deg(2 * np.arctan(0.5 / FOCAL_OVER_WIDTH))),
        "fov_axis": "x",
        "to_world": mi.ScalarTransform4f().look_at(origin=scene["camera"], target=[0, 0, 0], up=[0, 0, 1]),
        "film": {
            "type": "hdrfilm",
            "width": resolution[0],
            "height": resolution[1],
            "crop_offset_x": left,
            "crop_offset_y": top,
            "crop_width": right - left,
            "crop_height": bottom - top,
            "rfilter": {"type": "tent"},
        },
        "sampler": {"type": "multijitter", "sample_count": samples},
    }


def _description(scene: Scene, resolution: tuple[int, int], ground: float, sky: float) -> dict[str, Any]:
    transform = mi.ScalarTransform4f
    # One block for the whole image: with more, their order changes the last bits where they overlap.
    block = 1 << (max(resolution) - 1).bit_length()
    description: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": MAX_DEPTH, "hide_emitters": True, "block_size": block},
        "ground": {
            "type": "rectangle",
            "to_world": transform().scale([60, 60, 1]),
            "bsdf": {"type": "diffuse", "reflectance": _rgb((ground,) * 3)},
        },
        "sky": {
            "type": "constant",
            "radiance": _rgb((sky,) * 3),
            "sampling_weight": SAMPLING_WEIGHT["sky"],
        },
    }
    for name, place in scene["lamps"].items():
        description[f"lamp_{name}"] = {
            "type": "rectangle",
            "to_world": transform().look_at(origin=place, target=[0, 0, 0], up=[0, 0, 1])
            @ transform().scale(LAMP_HALF_SIDE),
            "emitter": {
                "type": "area",
                "radiance": _rgb(LAMP_RADIANCE[name]),
                "sampling_weight": SAMPLING_WEIGHT[name],
            },
        }
    for index, item in enumerate(scene["objects"]):
        description[f"object_{index}"] = _shape(item)
    return description


def _load(description: dict[str, Any]) -> Any:
    return mi.load_dict(description, parallel=False)


def _rgb(value: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "rgb", "value": list(value)}


def _surface(item: SceneObject) -> dict[str, Any]:
    color = tuple(channel / 255 for channel in COLORS[item["color"]])
    if item["material"] == "rubber":
        return {
            "type": "diffuse",
            "reflectance": _rgb(tuple(RUBBER_REFLECTANCE * channel for channel in color)),
        }
    return {"type": "principled", "base_color": _rgb(color), "metallic": 1.0, "roughness": METAL_ROUGHNESS}


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
