"""Bevelled solids of half size 1 about the origin, as triangles with smooth normals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BEVEL: Final = 0.15  # CLEVR's cubes and cylinders have softened edges
BEVEL_STEPS: Final = 3
SEGMENTS: Final = 48


@dataclass(frozen=True)
class Mesh:
    """vertices and unit normals [vertices, 3]; faces [faces, 3], wound so that normals point outwards."""

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    faces: NDArray[np.uint32]


def rounded_cube() -> Mesh:
    """A cube: each face a grid, pulled in to a box with rounded edges."""
    tangents = np.tan(np.linspace(0.0, np.pi / 4, BEVEL_STEPS + 1))
    line = np.concatenate([-(1 - BEVEL) - BEVEL * tangents[::-1], (1 - BEVEL) + BEVEL * tangents])
    first, second = (grid.ravel() for grid in np.meshgrid(line, line, indexing="ij"))
    vertices: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    faces: list[NDArray[np.int64]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.empty((first.size, 3))
            face[:, axis], face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = sign, first, second
            inner = np.clip(face, -(1 - BEVEL), 1 - BEVEL)
            normal = (face - inner) / np.linalg.norm(face - inner, axis=1, keepdims=True)
            faces.append(_grid_faces(line.size, line.size, flip=sign < 0) + len(vertices) * first.size)
            vertices.append(inner + BEVEL * normal)
            normals.append(normal)
    return _mesh(np.concatenate(vertices), np.concatenate(normals), np.concatenate(faces))


def rounded_cylinder() -> Mesh:
    """A cylinder about z: the profile from the bottom's centre to the top's, turned once round."""
    arc = np.linspace(0.0, np.pi / 2, BEVEL_STEPS + 1)
    # (radius, height, normal outwards, normal upwards) along the lower half; the upper half mirrors it
    rim = np.stack(
        [1 - BEVEL + BEVEL * np.sin(arc), -(1 - BEVEL) - BEVEL * np.cos(arc), np.sin(arc), -np.cos(arc)]
    )
    lower = np.concatenate([[[0.0], [-1.0], [0.0], [-1.0]], rim], axis=1)
    upper = lower[:, ::-1] * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    radius, height, outward, upward = np.concatenate([lower, upper], axis=1)
    angle = np.linspace(0.0, 2 * np.pi, SEGMENTS + 1)[:, None]
    vertices = np.stack(np.broadcast_arrays(radius * np.cos(angle), radius * np.sin(angle), height), axis=-1)
    normals = np.stack(np.broadcast_arrays(outward * np.cos(angle), outward * np.sin(angle), upward), axis=-1)
    faces = _grid_faces(SEGMENTS + 1, radius.size, flip=False)
    return _mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), faces)


def _grid_faces(rows: int, columns: int, *, flip: bool) -> NDArray[np.int64]:
    """Two triangles for each cell of a row-major grid of vertices."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    a, b, c, d = corner, corner + columns, corner + columns + 1, corner + 1
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return faces[:, ::-1] if flip else faces


def _mesh(vertices: NDArray[np.float64], normals: NDArray[np.float64], faces: NDArray[np.int64]) -> Mesh:
    return Mesh(vertices.astype(np.float32), normals.astype(np.float32), faces.astype(np.uint32))
