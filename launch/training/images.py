"""Rendered pictures as one uint8 array, with their scenes; grows while a build is still running."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from launch.datasets.clevr_style.build import iter_ready
from launch.datasets.clevr_style.scene import Scene
from launch.training.scenes import Patches, patches_of
from shared.semantic.siglip import resize

#: Of every PARTS pictures and reviews, one is for choosing (dev) and one for the final figures (test).
PARTS = 40
PART = {"dev": 0, "test": 1}


@dataclass(slots=True)
class Pictures:
    """Pictures [B, S, S, 3] uint8, their scenes and per-patch targets, in the same order."""

    pixels_BSSC: np.ndarray
    scenes: list[Scene]
    patches: list[Patches]

    def __len__(self) -> int:
        return len(self.scenes)


def part_of(number: int) -> str:
    """What the picture or the review of a number is for."""
    rest = number % PARTS
    return "dev" if rest == PART["dev"] else "test" if rest == PART["test"] else "train"


def load_pictures(
    root: Path,
    size: int | None,
    part: str,
    coverage: bool = False,
    limit: int | None = None,
    indices: Sequence[int] | None = None,
) -> Pictures:
    """Finished pictures of a part in the order of their index; `size` None leaves the pixels out."""
    wanted = None if indices is None else set(indices)
    ready = sorted(
        (
            (scene, path)
            for scene, path in iter_ready(root)
            if part_of(scene["image_index"]) == part and (wanted is None or scene["image_index"] in wanted)
        ),
        key=lambda entry: entry[0]["image_index"],
    )[:limit]
    pixels = np.empty((len(ready) if size else 0, size or 0, size or 0, 3), np.uint8)
    patches = []
    for row, (scene, path) in enumerate(ready):
        with Image.open(path) as image:
            patches.append(patches_of(scene, image.width, image.height, coverage))
            if size:
                pixels[row] = resize(image, size)
    return Pictures(pixels, [scene for scene, _ in ready], patches)
