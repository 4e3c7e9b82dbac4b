"""The convolutional stem in the vision tower's place for a patch embedding."""

import numpy as np
import torch

from shared.semantic.config import MICRO, VisionSizes
from shared.semantic.siglip import VisionTower, to_pixels
from shared.semantic.stem import ConvStem

SIZES = VisionSizes(
    image_size=64, patch_size=16, hidden=16, intermediate=24, layers=1, heads=2, stem=(8, 8, 8)
)


def pictures(amount: int) -> torch.Tensor:
    rng = np.random.default_rng(1)
    return to_pixels(rng.integers(0, 256, (amount, 64, 64, 3), np.uint8))


def test_patches_are_as_many_as_without_a_stem_and_in_the_same_order() -> None:
    """Row by row from the top left: of all patches of pixels a token depends most on its own.

    Of tokens away from the border, whose surroundings are whole; over several draws of weights.
    """
    inner, depends = (5, 6, 9, 10), torch.zeros(4, 16)
    for seed in range(8):
        torch.manual_seed(seed)
        stem, pixels = ConvStem((8, 8, 8), SIZES.patch_size, SIZES.hidden), pictures(1).requires_grad_()
        tokens = stem(pixels).flatten(2).transpose(1, 2)[0]
        assert tokens.shape == (SIZES.tokens, SIZES.hidden)
        for row, place in enumerate(inner):
            (slopes,) = torch.autograd.grad(tokens[place].sum(), pixels, retain_graph=True)
            by_patch = slopes[0].square().unfold(1, 16, 16).unfold(2, 16, 16).sum((0, 3, 4)).flatten()
            depends[row] += by_patch / by_patch.sum()
    assert tuple(depends.argmax(1).tolist()) == inner


def test_a_pictures_tokens_are_its_own_whatever_is_encoded_with_it() -> None:
    torch.manual_seed(0)
    tower = VisionTower(SIZES).eval()
    both = pictures(2)
    with torch.inference_mode():
        together, alone = tower(both), tower(both[1:])
    assert together.shape == (2, 16, 16)
    torch.testing.assert_close(together[1:], alone)


def test_the_tower_of_micro_has_one_and_is_shaped_without_computing() -> None:
    with torch.device("meta"):
        tower = VisionTower(MICRO.vision)
    assert isinstance(tower.model.embeddings.patch_embedding, ConvStem)
    assert tower(torch.zeros(1, 3, 160, 160, device="meta")).shape == (1, 100, MICRO.vision.hidden)
