"""Multiply-adds of a question about an image, at both ends, counted from the sizes of the model.

Counted: products with weights, and of queries with keys and of weights with values. Not counted: norms,
activations, splines' recursion, the comparator, and instructions, which both ends compute once and keep.
"""

from dataclasses import dataclass
from itertools import pairwise

from shared.semantic.config import LlmSizes, SemanticConfig, VisionSizes


@dataclass(frozen=True, slots=True)
class Load:
    """What one request brings, on average over a run.

    `images`: pictures encoded a request (below one where users share them); `sent`: token vectors put on air
    by the base station a request; `text`, `instruction`, `generated`: tokens.
    """

    images: float
    sent: float
    text: float
    instruction: float
    generated: float


def base_station(config: SemanticConfig, load: Load) -> float:
    """Multiply-adds a request: vision tower, projector, k layers on image and text, channel encoder."""
    tokens = config.image_tokens
    before = 1 + tokens + load.instruction
    layer = _layer(config.llm, 1 + tokens, _causal(1 + tokens))
    image = vision(config) + tokens * projector(config) + config.split_layer * layer
    text = config.split_layer * _layer(config.llm, load.text, load.text * before + _causal(load.text))
    return load.images * image + text + load.sent * _codec(config)


def user_equipment(config: SemanticConfig, load: Load) -> float:
    """Multiply-adds a request: channel decoder, the layers from k on, and the answer, word by word.

    A generated token passes all layers; below k it sees BOS, instruction and generated tokens only.
    """
    llm, k, steps = config.llm, config.split_layer, load.generated
    prompt = 1 + config.image_tokens + load.instruction + load.text
    upper = (llm.layers - k) * _layer(llm, prompt, _causal(prompt))
    below = k * _layer(llm, steps, steps * (1 + load.instruction) + _causal(steps))
    above = (llm.layers - k) * _layer(llm, steps, steps * prompt + _causal(steps))
    words = (steps + 1) * llm.hidden * llm.vocab
    return (config.image_tokens + load.text) * _codec(config) + upper + below + above + words


def vision(config: SemanticConfig) -> float:
    """Of one picture."""
    sizes = config.vision
    layer = sizes.tokens * (4 * sizes.hidden**2 + 2 * sizes.hidden * sizes.intermediate)
    return embedding(sizes) + sizes.layers * (layer + 2 * sizes.tokens**2 * sizes.hidden)


def embedding(sizes: VisionSizes) -> float:
    """Of one picture: the stem of convolutions, where there is one, and the patch embedding."""
    total, side, channels = 0, sizes.image_size, 3
    if sizes.stem is not None:
        side //= 2
        total += side**2 * 36 * channels * sizes.stem[0]
        for before, after in pairwise(sizes.stem):
            side //= 2
            total += side**2 * ((16 + 4) * before * after + 3 * 9 * after**2)
        channels = sizes.stem[-1]
    return total + side**2 * channels * sizes.hidden


def projector(config: SemanticConfig) -> float:
    """Of one image token: on a KAN's edge one product a coefficient, and one for the base branch."""
    if config.mlp is not None:
        return config.mlp.hidden * (config.vision.hidden + config.llm.hidden)
    assert config.kan is not None
    widths = config.kan.widths
    edges = sum(i * o for i, o in pairwise(widths))
    return edges * (config.kan.grid + config.kan.order + 1)


def _layer(llm: LlmSizes, queries: float, keys: float) -> float:
    """One decoder layer on `queries` tokens that see `keys` tokens in all."""
    heads = llm.heads * llm.head_dim
    linear = llm.hidden * (2 * heads + 2 * llm.kv_heads * llm.head_dim + 3 * llm.intermediate)
    return queries * linear + 2 * keys * heads


def _causal(tokens: float) -> float:
    """Keys seen by so many tokens of a causal sequence in all."""
    return tokens * (tokens + 1) / 2


def _codec(config: SemanticConfig) -> float:
    """Of one token: width times real values on the air."""
    return config.llm.hidden * 2 * config.uses_per_token
