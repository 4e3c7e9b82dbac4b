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

_GROUPS = 8


def pixels_of(picture_HWC: np.ndarray, size: int) -> Tensor:
    """A picture, uint8 RGB, squashed to a square, as [3, S, S] in [-1, 1]."""
    return torch.from_numpy(squashed(picture_HWC, size).astype(np.float32)).permute(2, 0, 1) / 127.5 - 1.0


def _norm(channels: int) -> nn.GroupNorm:
    # Not over the batch: a picture's features depend on nothing else that happens to be encoded with it.
    return nn.GroupNorm(_GROUPS if channels % _GROUPS == 0 else 1, channels)


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al. 2016), normalised in groups."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            _norm(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            _norm(after),
        )
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, stride)

    def forward(self, maps_BCGG: Tensor) -> Tensor:
        return torch.relu(self.layers(maps_BCGG) + self.shortcut(maps_BCGG))


class ImageEncoder(nn.Module):
    """Pixels [B, 3, S, S] to features [B, N, C], patch by patch from the top left, row by row."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        first, second, third = config.channels
        more = config.blocks - 1
        self.layers = nn.Sequential(
            nn.Conv2d(3, first, 7, 3, 3, bias=False),
            _norm(first),
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
