"""README.md of bundles that were made and not trained: what is in them, and what their answers are worth."""

from collections.abc import Mapping
from pathlib import Path

import torch

from launch.bundles.pretrained import parameters
from shared.semantic.bundle import tensor_shapes
from shared.semantic.config import SemanticConfig
from shared.semantic.manifest import file_digest

_PARTS = {"vision": "vision tower", "projector": "KAN projector", "llm": "Gemma2", "codec": "channel codec"}


def random_card(config: SemanticConfig, dtype: torch.dtype, seed: int, tokenizer: str | None) -> str:
    """`tokenizer`: the name of the file or folder it came from; None: the shipped micro bundle's."""
    came_from = (
        f"that of the shipped `micro` bundle, whose ids are valid among the {config.llm.vocab:,}\n"
        "of this vocabulary; most of these no text ever becomes"
        if tokenizer is None
        else f"`{tokenizer}`"
    )
    return f"""# {config.name}, random weights

Every tensor of the `{config.name}` preset at its full size, filled with random numbers of seed {seed}. **None
of it is trained: answers mean nothing.** What it can show: that everything runs at this size, what it costs,
and what crosses the channel.

{_sizes(config, dtype)}

Tokenizer: {came_from}.

## Measured

Nothing: there is nothing to measure in random weights.
"""


def pretrained_card(
    config: SemanticConfig, dtype: torch.dtype, seed: int, sources: Mapping[str, Path]
) -> str:
    """`sources`: the files that tensors were read from, by the name to show."""
    rows = "\n".join(
        f"| `{name}` | {path.stat().st_size:,} | {file_digest(path)} |" for name, path in sources.items()
    )
    return f"""# {config.name}, pre-trained vision tower and language model

SigLIP's vision tower and Gemma2 as published, under their own licences. **The KAN projector and the channel
codec are fresh (seed {seed}) and not trained**: until they are, what the language model sees of a picture,
and everything that has crossed the channel, is noise to it.

{_sizes(config, dtype)}

Tokenizer: Gemma2's own.

| read from | bytes | SHA-256 |
|---|---|---|
{rows}

## Measured

Nothing yet.
"""


def _sizes(config: SemanticConfig, dtype: torch.dtype) -> str:
    counts = parameters(tensor_shapes(config))
    rows = "\n".join(f"| {_PARTS[part]} | {counts[part]:,} |" for part in _PARTS)
    kind = str(dtype).removeprefix("torch.")
    return f"""| part | parameters |
|---|---|
{rows}
| together | {sum(counts.values()):,} |

Stored as {kind}. {config.image_tokens} tokens an image, {config.uses_per_token} channel uses
({2 * config.uses_per_token} real values) a token, cut at layer {config.split_layer} of
{config.llm.layers}."""
