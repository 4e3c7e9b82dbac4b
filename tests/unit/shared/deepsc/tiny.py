"""DeepSC and DeepSC-VQA small enough for tests, with random weights."""

from pathlib import Path

import torch

from shared.deepsc.bundle import DeepscBundle, build, save_deepsc
from shared.deepsc.config import AnyDeepsc, DeepscConfig, DeepscVqaConfig, TransformerSizes
from shared.deepsc.text import DeepscText
from shared.deepsc.vqa import DeepscVqa
from tests.unit.shared.semantic.tiny import tiny_tokenizer

SIZES = TransformerSizes(width=16, layers=1, heads=2, inner=24)
ANSWERS = ("positive", "negative")
TEXT = DeepscConfig(
    name="tiny", vocab=320, text_tokens=40, text=SIZES, channel_hidden=24, answers=ANSWERS, uses_per_word=3
)
VQA = DeepscVqaConfig(
    name="tiny",
    vocab=320,
    text_tokens=40,
    text=SIZES,
    channel_hidden=24,
    answers=("yes", "no", "1", "2", "3", "red", "blue"),
    uses_per_word=2,
    image_size=48,
    channels=(8, 8, 16),
    blocks=1,
    uses_per_patch=8,
    steps=2,
)
CONFIGS: tuple[AnyDeepsc, ...] = (TEXT, VQA)


def tiny_model(config: AnyDeepsc) -> DeepscText | DeepscVqa:
    model = build(config)
    with torch.no_grad():
        for name, parameter in model.receiver.named_parameters():
            parameter.mul_(3.0 if parameter.ndim > 1 else 0.0 if name.startswith("answer") else 1.0)
    return model


def tiny_bundle(path: Path, config: AnyDeepsc, seed: int = 0) -> DeepscBundle:
    """Its answers vary with what is received: matrices are large, and no answer is preferred."""
    torch.manual_seed(seed)
    model = tiny_model(config)
    return save_deepsc(path, model, config, tiny_tokenizer(), "# tiny\n", torch.float32)
