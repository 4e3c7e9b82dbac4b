"""Preprocessing of pictures, and the vision tower's shapes."""

import numpy as np
import pytest
import torch
from PIL import Image

from shared.semantic.config import MICRO, PAPER
from shared.semantic.siglip import VisionTower, resize, to_pixels


def test_pictures_are_squashed_to_a_square_in_minus_one_to_one() -> None:
    tower = VisionTower(MICRO.vision)
    picture = np.full((20, 30, 3), 255, np.uint8)
    pixels = tower.preprocess([picture, Image.fromarray(picture)])
    assert pixels.shape == (2, 3, 160, 160)
    torch.testing.assert_close(pixels, torch.ones_like(pixels))
    assert float(to_pixels(np.zeros((1, 2, 2, 3), np.uint8)).max()) == -1.0


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_anything_else_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="image: expected uint8"):
        resize(bad, 8)


def test_the_papers_tower_is_siglip_large() -> None:
    with torch.device("meta"):
        tower = VisionTower(PAPER.vision)
    assert PAPER.image_tokens == 256
    assert 0.30e9 < sum(p.numel() for p in tower.parameters()) < 0.32e9
