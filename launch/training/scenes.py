"""Scene graphs as per-patch targets, and scenes that are never rendered.

A picture of 3:2 is squashed to a square and cut into GRID x GRID patches. Every object is anchored at one
patch: the one of its centre, or the nearest free one where two centres share a patch.

Shapes: N patches (row by row), A attributes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from launch.datasets.clevr_style.camera import Camera, object_ids
from launch.datasets.clevr_style.scene import Scene, solid_of
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, VALUES
from shared.semantic.config import MICRO

GRID = math.isqrt(MICRO.image_tokens)
PATCHES = GRID * GRID
SIZES_OF = tuple(len(VALUES[name]) for name in ATTRIBUTES)  # size 2, color 8, material 2, shape 3
FEATURES = 1 + sum(SIZES_OF) + 2
NOTHING = -1

#: How a vision tower errs: deviation of a centre in patches, how often there is doubt about an object's size,
#: color, material and shape.
CENTRE_ERROR = 0.04
DOUBT: tuple[float, ...] = (0.03, 0.06, 0.06, 0.15)
FINE = (6 * GRID, 4 * GRID)  # rays a picture for the coverage, width x height


@dataclass(frozen=True, slots=True)
class Patches:
    """What stands where. `anchor_NA` and `cover_NA` hold attribute indices or NOTHING."""

    anchor_NA: np.ndarray
    offset_N2: np.ndarray
    cover_NA: np.ndarray
    objects: tuple[int, ...]
    """The patch of each object of the scene."""
    values_OA: np.ndarray
    centres_O2: np.ndarray
    """Attribute indices and centres (in patches from the top left) of each object."""
    fine_HW: np.ndarray | None = None
    """Which object is seen where, finer than patches; the number of objects means the ground."""

    def moved(self, mirrored: bool, right: int, down: int) -> "Patches":
        """The targets of the picture after it was mirrored, then moved by so many of FINE's cells."""
        centres = self.centres_O2.copy()
        fine = self.fine_HW
        if mirrored:
            centres[:, 0] = GRID - centres[:, 0]
            fine = None if fine is None else fine[:, ::-1]
        centres += right * GRID / FINE[0], down * GRID / FINE[1]
        if fine is not None:
            fine = shift(fine, right, down)
        inside = np.all((centres > 0.1) & (centres < GRID - 0.1), axis=1)
        return _patches(self.values_OA, centres, fine, inside)


def shift(picture: np.ndarray, right: int, down: int) -> np.ndarray:
    """Move a picture [H, W, ...]; what comes in repeats the edge."""
    rows = np.clip(np.arange(picture.shape[0]) - down, 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(picture.shape[1]) - right, 0, picture.shape[1] - 1)
    return picture[rows][:, columns]


def attribute_indices(item: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(VALUES[name].index(item[name]) for name in ATTRIBUTES)


def anchors(centres: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """A patch for each centre (in patches from the top left), no patch twice."""
    rows, columns = np.indices((GRID, GRID)).reshape(2, -1)
    taken = np.zeros(PATCHES, bool)
    chosen = []
    for x, y in centres:
        patch = min(max(int(y), 0), GRID - 1) * GRID + min(max(int(x), 0), GRID - 1)
        if taken[patch]:
            patch = int((np.hypot(columns + 0.5 - x, rows + 0.5 - y) + 1e3 * taken).argmin())
        taken[patch] = True
        chosen.append(patch)
    return tuple(chosen)


def patches_of(scene: Scene, width: int, height: int, coverage: bool = False) -> Patches:
    """Targets of a scene whose `pixel_coords` are for a picture of width x height."""
    objects = scene["objects"]
    centres = np.array([o["pixel_coords"][:2] for o in objects], np.float32) * (GRID / width, GRID / height)
    values = np.array([attribute_indices(o) for o in objects])
    fine = None
    if coverage and "camera" in scene:
        x, y, z = scene["camera"]
        fine = object_ids(Camera((x, y, z)), [solid_of(o) for o in objects], FINE).astype(np.uint8)
    return _patches(values, centres, fine, np.ones(len(objects), bool))


def _patches(values: np.ndarray, centres: np.ndarray, fine: np.ndarray | None, inside: np.ndarray) -> Patches:
    anchor = np.full((PATCHES, len(ATTRIBUTES)), NOTHING, np.int64)
    offset = np.zeros((PATCHES, 2), np.float32)
    places = anchors([(x, y) for x, y in centres[inside].tolist()])
    anchor[list(places)] = values[inside]
    for patch, (x, y) in zip(places, centres[inside], strict=True):
        offset[patch] = x - (patch % GRID) - 0.5, y - (patch // GRID) - 0.5
    cover = np.full((PATCHES, len(ATTRIBUTES)), NOTHING, np.int64)
    if fine is not None:
        across, along = FINE[0] // GRID, FINE[1] // GRID
        cells = fine.reshape(GRID, along, GRID, across).transpose(0, 2, 1, 3).reshape(PATCHES, -1)
        share = np.stack([(cells == i).sum(1) for i in range(len(values))], 1)
        best = share.argmax(1)
        covered = share[np.arange(PATCHES), best] >= 5
        cover[covered] = values[best[covered]]
    return Patches(anchor, offset, cover, places, values, centres, fine)


def features(patches: Patches) -> np.ndarray:
    """Symbolic tokens [N, FEATURES]: present, one-hot attributes, offset of the centre."""
    out = np.zeros((PATCHES, FEATURES), np.float32)
    for patch in patches.objects:
        out[patch, 0] = 1
        start = 1
        for column, amount in enumerate(SIZES_OF):
            out[patch, start + patches.anchor_NA[patch, column]] = 1
            start += amount
        out[patch, start:] = patches.offset_N2[patch]
    return out


def doubtful_features(patches: Patches, rng: np.random.Generator) -> np.ndarray:
    """As `features`, but in probabilities: what one knows who sees the scene imperfectly.

    A centre near an edge is shared by the patches on both sides; an attribute in doubt is split between the
    true value and another. Doubt is calibrated: what has probability w is true in w of the cases, hence the
    square roots of uniform draws.
    """
    objects = len(patches.objects)
    measured_O2 = patches.centres_O2 + CENTRE_ERROR * rng.standard_normal((objects, 2))
    # The logistic function is the normal distribution to 1%, and simpler.
    edges_G = np.arange(GRID + 1)
    below_O2G = 1 / (1 + np.exp(np.clip((measured_O2[..., None] - edges_G) * 1.702 / CENTRE_ERROR, -50, 50)))
    columns_OG, rows_OG = np.diff(below_O2G, axis=2).transpose(1, 0, 2)
    there_ON = (rows_OG[:, :, None] * columns_OG[:, None, :]).reshape(objects, PATCHES)
    for number, (patch, (x, y)) in enumerate(zip(patches.objects, patches.centres_O2, strict=True)):
        if patch != int(y) * GRID + int(x):  # the patch of its centre was taken, or lies outside
            there_ON[number] = 0
            there_ON[number, patch] = 1
    told_OV = [np.ones((objects, 1))]
    for column, (amount, doubt) in enumerate(zip(SIZES_OF, DOUBT, strict=True)):
        true_O = patches.values_OA[:, column]
        other_O = (true_O + rng.integers(1, amount, objects)) % amount
        sure_O = np.where(rng.random(objects) < doubt, np.sqrt(rng.random(objects)), 1.0)
        told_OV.append(
            sure_O[:, None] * np.eye(amount)[true_O] + (1 - sure_O)[:, None] * np.eye(amount)[other_O]
        )
    rows_N, columns_N = np.divmod(np.arange(PATCHES), GRID)
    middles_N2 = np.stack([columns_N, rows_N], 1) + 0.5
    offset_ON2 = patches.centres_O2[:, None] - middles_N2
    out_NF = np.concatenate(
        [there_ON.T @ np.concatenate(told_OV, 1), np.einsum("on,onk->nk", there_ON, offset_ON2)], 1
    )
    return out_NF.astype(np.float32)
