"""Smooth a noisy render within each object, so that few samples a pixel give a clean image.

A clean image matters beyond looks: noise would inflate the bytes of every image codec measured on it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Ids = NDArray[np.int64]

FIREFLY: Final = 1.3  # a pixel is limited to this multiple of its surroundings' median
RADIUS_FIRST, RANGE_FIRST = 1, 0.6
RADIUS_SECOND, RANGE_SECOND = 3, 0.13  # neighbours whose brightness differs by more than ~13% hardly count


def denoise(image: Image, ids: Ids, sharp: NDArray[np.bool_]) -> Image:
    """Smooth linear RGB [height, width, 3] within equal `ids` [height, width].

    `sharp` marks the pixels (shiny surfaces) whose bright spots are real. A pixel at an object's border blends two
    objects: it is neither changed nor used.
    """
    inside = _inside(ids)
    calm = np.where((inside & ~sharp)[..., None], _limit(image, inside), image)
    guide = _smooth(calm, calm.mean(axis=2), ids, inside, RADIUS_FIRST, RANGE_FIRST)
    smooth = _smooth(calm, guide.mean(axis=2), ids, inside, RADIUS_SECOND, RANGE_SECOND)
    return np.where(inside[..., None], smooth, image)


def _inside(ids: Ids) -> NDArray[np.bool_]:
    """Pixels whose 3 x 3 neighbourhood shows one object."""
    padded = np.pad(ids, 1, mode="edge")
    height, width = ids.shape
    equal = np.ones(ids.shape, dtype=bool)
    for row in range(3):
        for column in range(3):
            equal &= padded[row : row + height, column : column + width] == ids
    return equal


def _limit(image: Image, inside: NDArray[np.bool_]) -> Image:
    """Scale pixels brighter than FIREFLY times the 3 x 3 median of their brightness down to that."""
    luminance = image.mean(axis=2)
    padded = np.pad(luminance, 1, mode="edge")
    height, width = luminance.shape
    near = [padded[row : row + height, column : column + width] for row in range(3) for column in range(3)]
    bound = FIREFLY * np.median(np.stack(near), axis=0)
    return image * np.minimum(1.0, bound / np.maximum(luminance, 1e-6)).astype(np.float32)[..., None]


def _smooth(
    image: Image, guide: NDArray[np.float32], ids: Ids, inside: NDArray[np.bool_], radius: int, spread: float
) -> Image:
    """Weighted mean over a square window; weights fall with distance and with relative difference in `guide`."""
    height, width = ids.shape
    total = np.zeros_like(image)
    weights = np.full((height, width), 1e-9, dtype=np.float32)
    pads = ((radius, radius), (radius, radius))
    wide_image = np.pad(image, (*pads, (0, 0)), mode="edge")
    wide_guide = np.pad(guide, pads, mode="edge")
    wide_ids = np.pad(np.where(inside, ids, -1), pads, constant_values=-1)
    for row in range(2 * radius + 1):
        for column in range(2 * radius + 1):
            window = np.s_[row : row + height, column : column + width]
            ratio = (wide_guide[window] - guide) / (spread * (guide + 1e-4))
            distance = ((row - radius) ** 2 + (column - radius) ** 2) / (radius + 0.5) ** 2
            weight = np.where(wide_ids[window] == ids, np.exp(-0.5 * ratio * ratio - distance), 0.0)
            weight = weight.astype(np.float32)
            weights += weight
            total += weight[..., None] * wide_image[window]
    return total / weights[..., None]
