"""Weights from nothing, one tensor at a time: each depends on the seed and its own name only.

So tensors can be made in any order and one file of them after the other, and a projector that stands beside
pre-trained weights is the same as one among random weights.
"""

import math

import torch
from torch import Tensor

from shared.rng import derive_seed
from shared.semantic.weights import Shape

_COEFFICIENT_STD = 0.3
_SEED_BITS = 63


def fresh_tensor(name: str, shape: Shape, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of a bundle before any training.

    Matrices are normal with variance 1 / inputs, embeddings included, so that values neither grow nor
    vanish on their way; the projector's as its module makes them; biases, the erasure vector and
    Gemma2's norms (which multiply by one plus their weight) are zero, SigLIP's norms one.
    """
    if name.startswith("vision.") and "norm" in name and name.endswith(".weight"):
        return torch.ones(shape, dtype=dtype)
    if len(shape) == 1:
        return torch.zeros(shape, dtype=dtype)
    generator = torch.Generator().manual_seed(derive_seed(seed, "weights", name) & (2**_SEED_BITS - 1))
    tensor = torch.empty(shape, dtype=dtype)
    if name.startswith("projector."):
        if name.endswith("coefficients_OIG"):
            return tensor.normal_(0.0, _COEFFICIENT_STD, generator=generator)
        bound = 1 / math.sqrt(shape[1])
        return tensor.uniform_(-bound, bound, generator=generator)
    return tensor.normal_(0.0, 1 / math.sqrt(math.prod(shape[1:])), generator=generator)
