"""Smooth a noisy render within each object, so that few samples a pixel give a clean image.

An edge-avoiding a-trous filter (Dammertz et al. 2010) guided by which object each pixel shows. A clean image
matters beyond looks: noise would inflate the bytes of every image codec measured on it.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Plane = NDArray[np.float32]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
Value = TypeVar("Value", bound=np.generic)
SubIds = Callable[[Ids, Ids], Ids]

FIREFLY: Final = 1.35  # a matte pixel is limited to this multiple of its surroundings' median
#: Passes: distance between the 5 x 5 taps in pixels, and the relative difference in brightness at which trust
#: falls, for matte and for shiny surfaces (whose reflections have true edges).
PASSES: Final = ((1, 0.8, 0.5), (2, 0.4, 0.25), (4, 0.2, 0.1), (2, 0.1, 0.05))
KERNEL: Final = (1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16)
BORDER_REACH: Final = 2  # pixels


def denoise(image: Image, ids: Ids, shiny: Mask, sub_ids_at: SubIds) -> Image:
    """Smooth linear RGB [height, width, 3] within equal `ids` [height, width].

    `shiny` marks the pixels whose bright spots are real. A pixel at an object's border blends two objects: it
    lends nothing to others and is made anew from what its sub-pixels show; `sub_ids_at(rows, columns)` tells
    which objects those are, [pixels, sub-pixels].
    """
    inside = _inside(ids)
    guide = _median(image.mean(axis=2))
    limited = _limit(image, guide)
    smooth = np.where((inside & ~shiny)[..., None], limited, image)
    for step, matte_spread, shiny_spread in PASSES:
        smooth = _smooth(smooth, guide, ids, inside, step, np.where(shiny, shiny_spread, matte_spread))
        guide = smooth.mean(axis=2)
    rows, columns = np.nonzero(~inside)
    border = _blend_borders(smooth, ids, inside, sub_ids_at(rows, columns), rows, columns)
    result = smooth.copy()
    result[rows, columns] = np.where(np.isnan(border), limited[rows, columns], border)
    return result


def _windows(plane: NDArray[Value], radius: int, step: int = 1) -> Iterator[NDArray[Value]]:
    """The plane shifted to each tap of a square window, edges repeated, row by row."""
    reach = radius * step
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((reach, reach), (reach, reach), *((0, 0),) * (plane.ndim - 2)), mode="edge")
    for row in range(0, 2 * reach + 1, step):
        for column in range(0, 2 * reach + 1, step):
            yield padded[row : row + height, column : column + width]


def _inside(ids: Ids) -> Mask:
    """Pixels whose 3 x 3 neighbourhood shows one object."""
    equal = np.ones(ids.shape, dtype=bool)
    for window in _windows(ids, 1):
        equal &= window == ids
    return equal


def _median(luminance: Plane) -> Plane:
    """Median over the 3 x 3 neighbourhood."""
    middle: Plane = np.median(np.stack(list(_windows(luminance, 1))), axis=0)
    return middle


def _limit(image: Image, median: Plane) -> Image:
    """Scale pixels brighter than FIREFLY times the median round them down to that."""
    scale: Image = np.minimum(1.0, FIREFLY * median / np.maximum(image.mean(axis=2), 1e-6))[..., None]
    return image * scale


def _smooth(image: Image, guide: Plane, ids: Ids, inside: Mask, step: int, spread: Plane) -> Image:
    """Weighted mean over 5 x 5 taps; weights fall with distance and with relative difference in `guide`."""
    total = np.zeros_like(image)
    weights = np.full(guide.shape, 1e-9, dtype=np.float32)
    # one plane of (r, g, b, guide, id) so that each tap is cut once; a border pixel's id matches nothing
    marks = np.where(inside, ids, -1).astype(np.float32)
    planes = np.concatenate([image, guide[..., None], marks[..., None]], axis=2)
    own = ids.astype(np.float32)
    scale = (1 / (spread * (guide + 1e-4))).astype(np.float32)
    taps = [np.float32(a * b) for a in KERNEL for b in KERNEL]
    for tap, window in zip(taps, _windows(planes, 2, step), strict=True):
        ratio = (window[..., 3] - guide) * scale
        weight = tap * np.exp(-0.5 * ratio * ratio) * (window[..., 4] == own)
        weights += weight
        total += weight[..., None] * window[..., :3]
    return total / weights[..., None]


def _blend_borders(smooth: Image, ids: Ids, inside: Mask, sub_ids: Ids, rows: Ids, columns: Ids) -> Image:
    """Colour of each border pixel, [border, 3]: the mean of its sub-pixels' objects' colours close by.

    NaN where one of the pixel's objects has no inner pixel close by (a sliver).
    """
    height, width = ids.shape
    shift = np.arange(-BORDER_REACH, BORDER_REACH + 1)
    near_rows = np.clip(rows[:, None] + np.repeat(shift, shift.size), 0, height - 1)
    near_columns = np.clip(columns[:, None] + np.tile(shift, shift.size), 0, width - 1)
    near_ids = np.where(inside, ids, -1)[near_rows, near_columns]
    match = (near_ids[:, None, :] == sub_ids[:, :, None]).astype(np.float32)  # [border, sub-pixels, taps]
    counts = match.sum(axis=2, keepdims=True)
    share = np.divide(match, counts, out=np.full_like(match, np.nan), where=counts > 0).mean(axis=1)
    blended: Image = np.einsum("bt,btc->bc", share, smooth[near_rows, near_columns])
    return blended
