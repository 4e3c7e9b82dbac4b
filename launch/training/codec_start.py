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
    assert isinstance(encoder, ChannelEncoder)
    assert isinstance(decoder, ChannelDecoder)
    mean = vectors_ND.mean(0)
    values, basis = torch.linalg.eigh(torch.cov((vectors_ND - mean).T))
    reals = encoder.linear.out_features
    scale = values[-reals:].clamp_min(1e-6) ** 0.25
    encoder.linear.weight.copy_((basis[:, -reals:] / scale).T)
    encoder.linear.bias.copy_(-encoder.linear.weight @ mean)
    length = encoder.linear(vectors_ND).norm(dim=1).mean() / (reals // 2) ** 0.5
    decoder.linear.weight.copy_(basis[:, -reals:] * scale * length)
    decoder.linear.bias.copy_(mean)
