"""The vision semantic encoder: `transformers`' SigLIP vision tower and its picture preprocessing.

Preprocessing is SigLIP's: squash to a square whatever the aspect (bicubic), scale to [-1, 1]. Done with
Pillow; torchvision is not needed.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import SiglipVisionModel

from shared.semantic.config import VisionSizes
from shared.semantic.stem import ConvStem

Picture = np.ndarray | Image.Image


def resize(picture: Picture, size: int) -> np.ndarray:
    """A picture as uint8 [size, size, 3]. Raises ValueError for anything but RGB uint8 or a Pillow image."""
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
            raise ValueError(f"image: expected uint8 [height, width, 3], got {picture.dtype} {picture.shape}")
        picture = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))


def to_pixels(pictures_BHWC: np.ndarray | Tensor) -> Tensor:
    """uint8 [B, H, W, 3] to float [B, 3, H, W] in [-1, 1]."""
    return torch.as_tensor(pictures_BHWC).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


class VisionTower(nn.Module):
    """Pictures to patch tokens [B, N, vision width].

    SigLIP's own; where the sizes say so, with a stem of convolutions before its patch embedding.
    """

    def __init__(self, sizes: VisionSizes) -> None:
        super().__init__()
        self.image_size = sizes.image_size
        self.model = SiglipVisionModel(sizes.to_transformers())
        if sizes.stem is not None:
            stem = ConvStem(sizes.stem, sizes.patch_size, sizes.hidden)
            self.model.embeddings.register_module("patch_embedding", stem)

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        tokens: Tensor = self.model(pixels_BCHW).last_hidden_state
        return tokens

    def preprocess(self, pictures: Sequence[Picture]) -> Tensor:
        """Pictures of any size to pixels [B, 3, S, S]."""
        return to_pixels(np.stack([resize(picture, self.image_size) for picture in pictures]))
