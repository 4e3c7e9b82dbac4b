"""CLEVR's camera as a pinhole, and which object a pixel sees.

World units are Blender's, z up. Fitted to 20 scenes of CLEVR v1.0: a camera at Blender's default place plus
jitter, looking at the origin with a 35 mm lens on a 32 mm wide sensor, gives their `pixel_coords` within
rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BASE_LOCATION: Final = (7.4811, -6.5076, 5.3437)
FOCAL_OVER_WIDTH: Final = 35.0 / 32.0

#: Unit vectors in the ground plane. CLEVR computes them from the base camera, before its jitter, so every
#: scene has the same ones; the reversed pairs are exact negatives.
GROUND_DIRECTIONS: Final[dict[str, tuple[float, float, float]]] = {
    "right": (0.6563112735748291, 0.7544902563095093, 0.0),
    "left": (-0.6563112735748291, -0.7544902563095093, 0.0),
    "behind": (-0.7544902563095093, 0.6563112735748291, 0.0),
    "front": (0.7544902563095093, -0.6563112735748291, 0.0),
}


@dataclass(frozen=True)
class Camera:
    """A pinhole at `location` that looks at the origin; z is up in the image."""

    location: tuple[float, float, float]

    def axes(self) -> tuple[Array, Array, Array]:
        """Unit vectors (right, up, forward) of the image in the world."""
        forward = -np.asarray(self.location, dtype=np.float64)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def project(self, point: Sequence[float], resolution: tuple[int, int]) -> tuple[float, float, float]:
        """World point to (x, y) in pixels from the top left and depth along the view axis in world units."""
        width, height = resolution
        right, up, forward = self.axes()
        offset = np.asarray(point, dtype=np.float64) - np.asarray(self.location)
        depth = float(offset @ forward)
        scale = FOCAL_OVER_WIDTH * width / depth
        return width / 2 + scale * float(offset @ right), height / 2 - scale * float(offset @ up), depth

    def rays(self, x: Array, y: Array, resolution: tuple[int, int]) -> Array:
        """View directions [points, 3], not unit, through image points (x, y) in pixels, each [points]."""
        width, height = resolution
        right, up, forward = self.axes()
        across = (x - width / 2) / (FOCAL_OVER_WIDTH * width)
        above = (height / 2 - y) / (FOCAL_OVER_WIDTH * width)
        rays: Array = forward + across[:, None] * right + above[:, None] * up
        return rays


@dataclass(frozen=True)
class Solid:
    """One object's geometry: its shape, half size, position of its centre and rotation about z in radians."""

    shape: str
    half: float
    center: tuple[float, float, float]
    rotation: float


def object_ids(camera: Camera, solids: Sequence[Solid], resolution: tuple[int, int]) -> NDArray[np.int64]:
    """Index of the solid that each pixel's centre sees, len(solids) for the ground, [height, width]."""
    width, height = resolution
    rows, columns = np.indices((height, width)).reshape(2, -1)
    return ids_at(camera, solids, columns + np.float64(0.5), rows + np.float64(0.5), resolution).reshape(
        height, width
    )


def ids_at(
    camera: Camera, solids: Sequence[Solid], x: Array, y: Array, resolution: tuple[int, int]
) -> NDArray[np.int64]:
    """Index of the solid seen at image points (x, y) in pixels, len(solids) for the ground, [points]."""
    rays = camera.rays(x, y, resolution)
    depths = np.stack([_depth(camera, rays, solid) for solid in solids])
    return np.where(np.isfinite(depths.min(axis=0)), depths.argmin(axis=0), len(solids))


def visible_fractions(camera: Camera, solids: Sequence[Solid], resolution: tuple[int, int]) -> Array:
    """Fraction of the image's pixels in which each solid is the nearest, [len(solids)]."""
    ids = object_ids(camera, solids, resolution)
    fractions: Array = np.bincount(ids.ravel(), minlength=len(solids) + 1)[: len(solids)] / ids.size
    return fractions


def _depth(camera: Camera, rays: Array, solid: Solid) -> Array:
    """Ray parameter of the first hit of a solid for each ray, infinite where there is none, [rays]."""
    origin = np.asarray(camera.location) - np.asarray(solid.center)
    if solid.shape == "sphere":
        return _quadric(rays, origin, solid.half)
    if solid.shape == "cylinder":
        near_side, far_side = _roots(rays[:, :2], origin[:2], solid.half)
        near_cap, far_cap = _slab(rays[:, 2:], origin[2:], solid.half)
        return _interval(np.maximum(near_side, near_cap), np.minimum(far_side, far_cap))
    angle = solid.rotation
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    near, far = _slab(rays @ turn, origin @ turn, solid.half)
    return _interval(near, far)


def _roots(rays: Array, origin: Array, radius: float) -> tuple[Array, Array]:
    """Entry and exit parameters of |origin + t ray| = radius; an empty interval where the ray misses."""
    a = np.sum(rays * rays, axis=1)
    b = rays @ origin
    disc = b * b - a * (origin @ origin - radius * radius)
    root = np.sqrt(np.maximum(disc, 0.0))
    return np.where(disc > 0, (-b - root) / a, np.inf), np.where(disc > 0, (-b + root) / a, -np.inf)


def _quadric(rays: Array, origin: Array, radius: float) -> Array:
    near, far = _roots(rays, origin, radius)
    return _interval(near, far)


def _slab(rays: Array, origin: Array, half: float) -> tuple[Array, Array]:
    """Entry and exit parameters of the box |x_i| <= half."""
    safe = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    low, high = (-half - origin) / safe, (half - origin) / safe
    return np.minimum(low, high).max(axis=1), np.maximum(low, high).min(axis=1)


def _interval(near: Array, far: Array) -> Array:
    return np.where((near <= far) & (near > 0), near, np.inf)
