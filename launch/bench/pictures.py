"""Pictures for benches, drawn from a seed: rectangles on a ground, no two alike."""

import io

import numpy as np
from PIL import Image

SIDE = 320


def draw_pictures(amount: int, seed: int, side: int = SIDE) -> list[np.ndarray]:
    """uint8 [side, side, 3] each."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(amount):
        picture = np.full((side, side, 3), rng.integers(90, 160), np.uint8)
        for _ in range(8):
            top, left = rng.integers(0, side - side // 8, 2)
            tall, wide = rng.integers(side // 16, side // 4, 2)
            picture[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
        pictures.append(picture)
    return pictures


def as_png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
