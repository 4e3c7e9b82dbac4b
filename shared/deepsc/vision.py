"""The image encoder of DeepSC-VQA: a residual network to a grid of 14 x 14 features, and the channel encoder.

The paper takes the 14 x 14 features of a ResNet-101 that was trained on ImageNet, 1,024 channels wide.
Such weights are not at hand here, so a smaller residual network is trained from nothing on the scenes
themselves.

Shapes: B pictures, S pixels a side, C channels, G patches a side, N = G G patches, R = 2 U real numbers
a patch.
"""

import numpy as np
import torch
from torch import Tensor, nn

from shared.deepsc.channel import ChannelEncoder
from shared.deepsc.config import DeepscVqaConfig
from shared.image_code import squashed
from shared.residual import Residual, group_norm


def pixels_of(picture_HWC: np.ndarray, size: int) -> Tensor:
    """A picture, uint8 RGB, squashed to a square, as [3, S, S] in [-1, 1]."""
    return torch.from_numpy(squashed(picture_HWC, size).astype(np.float32)).permute(2, 0, 1) / 127.5 - 1.0


class ImageEncoder(nn.Module):
    """Pixels [B, 3, S, S] to features [B, N, C], patch by patch from the top left, row by row."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        first, second, third = config.channels
        more = config.blocks - 1
        self.layers = nn.Sequential(
            nn.Conv2d(3, first, 7, 3, 3, bias=False),
            group_norm(first),
            nn.ReLU(),
            Residual(first, second, 2),
            *(Residual(second, second) for _ in range(more)),
            Residual(second, third, 2),
            *(Residual(third, third) for _ in range(more)),
        )

    def forward(self, pixels_BCSS: Tensor) -> Tensor:
        maps: Tensor = self.layers(pixels_BCSS)
        return maps.flatten(2).transpose(1, 2)


class ImageSender(nn.Module):
    """Pictures to real numbers [B, N, R]."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        self.encoder = ImageEncoder(config)
        self.channel = ChannelEncoder(config.channels[-1], config.channel_hidden, config.uses_per_patch)

    def forward(self, pixels_BCSS: Tensor) -> Tensor:
        coded: Tensor = self.channel(self.encoder(pixels_BCSS))
        return coded
