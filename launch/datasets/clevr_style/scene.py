"""Random scene graphs by CLEVR's rules, in CLEVR's own JSON format (Johnson et al. 2017, section 3).

A scene is a pure function of (seed, split, index): the split's name is part of the seed, so no two splits
share one.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

import numpy as np

from launch.datasets.clevr_style.camera import (
    BASE_LOCATION,
    GROUND_DIRECTIONS,
    Camera,
    Solid,
    visible_fractions,
)
from launch.datasets.clevr_style.vocabulary import COLORS, DIRECTIONS, MATERIALS, SHAPES, SIZES

MIN_OBJECTS: Final = 3
MAX_OBJECTS: Final = 10
REACH: Final = 3.0  # objects stand in [-REACH, REACH]^2
MIN_DISTANCE: Final = 0.25  # free ground between two objects
MARGIN: Final = 0.4  # along each of left, right, front, behind, so that a relation is never in doubt
RELATION_EPSILON: Final = 0.2
PLACEMENT_TRIES: Final = 50
CAMERA_JITTER: Final = 0.5
LIGHT_JITTER: Final = 1.0
MIN_VISIBLE: Final = 200 / (480 * 320)  # CLEVR wants 200 pixels of each object at 480 x 320
VISIBILITY_GRID: Final = (120, 80)
DEFAULT_RESOLUTION: Final = (240, 160)

#: Lamp positions of CLEVR's base scene, before jitter.
LAMPS: Final[dict[str, tuple[float, float, float]]] = {
    "key": (6.447, -2.905, 4.258),
    "fill": (-4.671, -4.014, 3.011),
    "back": (-1.169, 2.646, 5.816),
}

SceneObject = TypedDict(
    "SceneObject",
    {
        "color": str,
        "size": str,
        "shape": str,
        "material": str,
        "rotation": float,  # about z; drawn from [0, 360), taken as radians: CLEVR does both
        "3d_coords": list[float],  # centre, world units
        "pixel_coords": list[float],  # x, y in pixels from the top left, depth in world units
    },
)


class Scene(TypedDict):
    """One scene of a CLEVR `scenes.json`."""

    image_index: int
    image_filename: str
    split: str
    objects: list[SceneObject]
    directions: dict[str, list[float]]
    relationships: dict[str, list[list[int]]]  # ['left'][i]: indices of the objects left of object i
    camera: NotRequired[list[float]]  # camera location; not in CLEVR's own files
    lamps: NotRequired[dict[str, list[float]]]  # lamp locations; not in CLEVR's own files


@dataclass(frozen=True)
class _Placed:
    shape: str
    size: str
    material: str
    color: str
    x: float
    y: float
    rotation: float

    @property
    def half(self) -> float:
        return SIZES[self.size]

    @property
    def center(self) -> tuple[float, float, float]:
        return (self.x, self.y, self.half)


def image_name(split: str, index: int) -> str:
    return f"clevr_style_{split}_{index:06d}.png"


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The generator that a scene is drawn from."""
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index])


def sample_scene(
    seed: int, split: str, index: int, resolution: tuple[int, int] = DEFAULT_RESOLUTION
) -> Scene:
    """Draw scene `index` of a split; `resolution` (width, height) only scales `pixel_coords`."""
    rng = scene_rng(seed, split, index)
    camera = jittered_camera(rng)
    lamps = {name: list(_jitter(rng, place, LIGHT_JITTER)) for name, place in LAMPS.items()}
    count = int(rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1))
    placed = _place(rng, count)
    while placed is None or not _all_visible(camera, placed):
        placed = _place(rng, count)
    scene = _graph(placed, camera, resolution, split, index)
    return {**scene, "camera": list(camera.location), "lamps": lamps}


def imagine_scene(rng: np.random.Generator, most: int, resolution: tuple[int, int]) -> Scene:
    """A scene that is not meant to be rendered: up to `most` objects, some of which may hide others."""
    camera = jittered_camera(rng)
    count = int(rng.integers(MIN_OBJECTS, most + 1))
    placed = _place(rng, count)
    while placed is None:
        placed = _place(rng, count)
    return _graph(placed, camera, resolution, "imagined", 0)


def jittered_camera(rng: np.random.Generator) -> Camera:
    return Camera(_jitter(rng, BASE_LOCATION, CAMERA_JITTER))


def _graph(
    placed: list["_Placed"], camera: Camera, resolution: tuple[int, int], split: str, index: int
) -> Scene:
    return {
        "image_index": index,
        "image_filename": image_name(split, index),
        "split": split,
        "objects": [_describe(item, camera, resolution) for item in placed],
        "directions": {name: list(vector) for name, vector in GROUND_DIRECTIONS.items()},
        "relationships": relationships([item.center for item in placed]),
    }


def relationships(centers: list[tuple[float, float, float]]) -> dict[str, list[list[int]]]:
    """For each direction and object, the objects that lie more than RELATION_EPSILON further that way."""
    points = np.asarray(centers, dtype=np.float64)
    table: dict[str, list[list[int]]] = {}
    for name in DIRECTIONS:
        along = points @ np.asarray(GROUND_DIRECTIONS[name])
        table[name] = [np.flatnonzero(along - own > RELATION_EPSILON).tolist() for own in along]
    return table


def solid_of(item: SceneObject) -> Solid:
    """The geometry of an object of a scene graph."""
    x, y, z = item["3d_coords"]
    return Solid(item["shape"], SIZES[item["size"]], (x, y, z), item["rotation"])


def _jitter(
    rng: np.random.Generator, place: tuple[float, float, float], amount: float
) -> tuple[float, float, float]:
    dx, dy, dz = rng.uniform(-amount, amount, size=3).tolist()
    return (place[0] + dx, place[1] + dy, place[2] + dz)


def _place(rng: np.random.Generator, count: int) -> list[_Placed] | None:
    """Objects with free ground and clear margins between them, or None where one found no room."""
    placed: list[_Placed] = []
    for _ in range(count):
        size = str(rng.choice(tuple(SIZES)))
        for _ in range(PLACEMENT_TRIES):
            x, y = rng.uniform(-REACH, REACH, size=2).tolist()
            if _has_room(x, y, SIZES[size], placed):
                break
        else:
            return None
        placed.append(
            _Placed(
                shape=str(rng.choice(SHAPES)),
                size=size,
                material=str(rng.choice(MATERIALS)),
                color=str(rng.choice(tuple(COLORS))),
                x=x,
                y=y,
                rotation=float(rng.uniform(0.0, 360.0)),
            )
        )
    return placed


def _has_room(x: float, y: float, half: float, placed: list[_Placed]) -> bool:
    right, behind = GROUND_DIRECTIONS["right"], GROUND_DIRECTIONS["behind"]
    for other in placed:
        dx, dy = x - other.x, y - other.y
        if math.hypot(dx, dy) - half - other.half < MIN_DISTANCE:
            return False
        if any(abs(dx * axis[0] + dy * axis[1]) < MARGIN for axis in (right, behind)):
            return False
    return True


def _all_visible(camera: Camera, placed: list[_Placed]) -> bool:
    solids = [Solid(item.shape, item.half, item.center, item.rotation) for item in placed]
    return bool((visible_fractions(camera, solids, VISIBILITY_GRID) >= MIN_VISIBLE).all())


def _describe(item: _Placed, camera: Camera, resolution: tuple[int, int]) -> SceneObject:
    x, y, depth = camera.project(item.center, resolution)
    return {
        "color": item.color,
        "size": item.size,
        "shape": item.shape,
        "material": item.material,
        "rotation": item.rotation,
        "3d_coords": list(item.center),
        "pixel_coords": [round(x), round(y), depth],
    }
