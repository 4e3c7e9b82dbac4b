"""Residual blocks of convolutions, for encoders of pictures.

Shapes: B pictures, C channels, G places a side.
"""

import torch
from torch import Tensor, nn

_GROUPS = 8


def group_norm(channels: int) -> nn.GroupNorm:
    """Of eight groups, or one. Not over the batch: a picture's features depend on no other picture."""
    return nn.GroupNorm(_GROUPS if channels % _GROUPS == 0 else 1, channels)


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016), normalised in groups (Wu and He 2018).

    With a stride of 2 and the first kernel 3 wide, as in ResNets, places of the halved grid look about the
    first of the two places that they stand for; with 4, about the middle between both.
    """

    def __init__(self, before: int, after: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(before, after, kernel, stride, 1, bias=False),
            group_norm(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            group_norm(after),
        )
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, kernel - 2, stride)

    def forward(self, maps_BCGG: Tensor) -> Tensor:
        return torch.relu(self.layers(maps_BCGG) + self.shortcut(maps_BCGG))
