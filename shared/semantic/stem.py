"""A patch embedding behind a few convolutions, for a vision tower that is trained from nothing.

SigLIP's patch embedding is one convolution over the pixels of a patch; all else its transformer learns, from
hundreds of millions of pictures. With ten thousand, a transformer behind a few early convolutions learns
faster and sees better (Xiao et al. 2021, "Early convolutions help transformers see better"). Patches stay as
many, and where they are.

Shapes: B pictures, S pixels a side, D width of the tower, G patches a side.
"""

from itertools import pairwise

from torch import Tensor, nn

from shared.residual import Residual, group_norm


class ConvStem(nn.Sequential):
    """Pixels [B, 3, S, S] to patches [B, D, G, G].

    Stages of so many `channels` halve the resolution, each about the middle of what it takes together, so
    that a patch's features are of that patch. Patches of what is left are embedded as SigLIP embeds those
    of pixels.
    """

    def __init__(self, channels: tuple[int, ...], patch_size: int, width: int) -> None:
        first = channels[0]
        stages: list[nn.Module] = [nn.Conv2d(3, first, 6, 2, 2, bias=False), group_norm(first), nn.ReLU()]
        for before, after in pairwise(channels):
            stages += [Residual(before, after, 2, kernel=4), Residual(after, after)]
        left = patch_size // 2 ** len(channels)
        super().__init__(*stages, nn.Conv2d(channels[-1], width, left, left))

    @property
    def weight(self) -> Tensor:
        """The first convolution's: `transformers` asks a patch embedding for the type of its pixels."""
        found = self[0].weight
        assert isinstance(found, Tensor)
        return found
