"""Where the channel codec begins: the principal components of what it will carry."""

import numpy as np
import torch

from launch.training.forward import Stack
from launch.training.material import Material
from shared.semantic.codec import ChannelDecoder, ChannelEncoder
from shared.semantic.masks import IMAGE, TEXT
from shared.semantic.model import SemanticModel

PICTURES = 64


@torch.no_grad()
def start_codec(model: SemanticModel, stack: Stack, material: Material, rows: int, seed: int) -> None:
    """Public code from image tokens, private code from image and text tokens; erasure from the mean token.

    `rows` sequences are computed at a time.
    """
    image, text = [], []
    for start in range(0, PICTURES, rows):
        rngs = [np.random.default_rng([seed, start + row]) for row in range(rows)]
        drawn = material.draw(rngs)
        batch = material.packer.questions(*material.scenes(drawn), rngs)
        seen = model.projector(material.seen(drawn))
        split = stack.run(
            batch, seen, torch.zeros(rows, dtype=torch.bool), split_layer=model.config.split_layer
        ).split_BTD
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
