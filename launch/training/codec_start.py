"""Where the channel codec begins: the principal components of what it will carry."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from launch.training.loop import Rngs
from launch.training.packing import Batch
from launch.training.tuning import Learner
from shared.semantic.codec import ChannelDecoder, ChannelEncoder
from shared.semantic.masks import IMAGE, TEXT

PICTURES = 64

Draw = Callable[[Rngs], tuple[Batch, Tensor]]


@torch.no_grad()
def start_codec(learner: Learner, draw: Draw, rows: int, seed: int) -> None:
    """Public code from image tokens, private code from image and text tokens; erasure from the mean token.

    `draw` gives packed sequences with pictures; `rows` of them are computed at a time.
    """
    model = learner.model
    image, text = [], []
    for start in range(0, PICTURES, rows):
        rngs = [np.random.default_rng([seed, start + row]) for row in range(rows)]
        batch, seen = draw(rngs)
        nowhere = torch.zeros(rows, dtype=torch.bool)
        out = learner.stack.run(batch, model.projector(seen), nowhere, split_layer=model.config.split_layer)
        split = out.split_BTD.float()
        image.append(split[batch.segments_BT == IMAGE])
        text.append(split[batch.segments_BT == TEXT])
    images, texts = torch.cat(image), torch.cat(text)
    some = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[: len(texts)]
    _start(model.codec.encoders["public"], model.codec.decoders["public"], images)
    _start(model.codec.encoders["private"], model.codec.decoders["private"], torch.cat([images[some], texts]))
    model.codec.erasure_D.copy_(images.mean(0))


def _start(encoder: torch.nn.Module, decoder: torch.nn.Module, vectors_ND: torch.Tensor) -> None:
    """Principal components, the largest first, with power as the square root of their variance.

    That is the best that linear analogue transmission can do (Lee and Petersen 1976).
    """
    assert isinstance(encoder, ChannelEncoder)
    assert isinstance(decoder, ChannelDecoder)
    mean_D = vectors_ND.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((vectors_ND - mean_D).T))
    reals = encoder.linear.out_features
    variance_R, basis_DR = values.flip(0)[:reals].clamp_min(1e-6), vectors.flip(1)[:, :reals]
    power_R = variance_R.sqrt() * (0.5 * reals / variance_R.sqrt().sum())  # a channel use has 1 on average
    amplitude_R = (power_R / variance_R).sqrt()
    encoder.linear.weight.copy_((basis_DR * amplitude_R).T)
    encoder.linear.bias.copy_(-encoder.linear.weight @ mean_D)
    decoder.linear.weight.copy_(basis_DR / amplitude_R)
    decoder.linear.bias.copy_(mean_D)
    if decoder.log_power_R is not None:
        decoder.log_power_R.copy_(power_R.log())
