"""A codec small enough for unit tests, with random weights."""

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from shared.semantic.config import INSTRUCTIONS, KanSizes, Limits, LlmSizes, SemanticConfig, VisionSizes
from shared.semantic.model import SemanticModel
from shared.semantic.tokenizer import SPECIAL, UNKNOWN, TextCodec

WORDS = "What colour is the big red cube or sphere, are there any small things? yes no 1 2 3 a film was good"


def tiny_config(softcap: float | None = None, layers: int = 4) -> SemanticConfig:
    return SemanticConfig(
        name="tiny",
        vision=VisionSizes(image_size=16, patch_size=4, hidden=16, intermediate=24, layers=1, heads=2),
        kan=KanSizes(widths=(16, 12, 32)),
        llm=LlmSizes(
            vocab=320,
            hidden=32,
            intermediate=48,
            layers=layers,
            heads=4,
            kv_heads=2,
            head_dim=8,
            attention_softcap=softcap,
            attention_scalar=8,
            sliding_window=512,
            max_positions=512,
        ),
        uses_per_token=4,
        split_layer=2,
        limits=Limits(text_tokens=40, new_tokens={"vqa": 3, "caption": 8, "text_classification": 2}),
        instructions=INSTRUCTIONS,
    )


def tiny_tokenizer(more: str = "", vocab: int = 320) -> TextCodec:
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=list(SPECIAL),
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([WORDS, *INSTRUCTIONS.values(), *[more] * bool(more)] * 3, trainer)
    return TextCodec(tokenizer)


def tiny_model(config: SemanticConfig, seed: int = 0) -> SemanticModel:
    """Random weights, large enough that greedy answers vary with the prompt."""
    torch.manual_seed(seed)
    model = SemanticModel(config).eval().requires_grad_(False)
    for name, parameter in model.llm.model.layers.named_parameters():
        if parameter.ndim == 2:
            parameter.mul_(25.0 if "q_proj" in name or "k_proj" in name else 8.0)
    model.codec.erasure_D.normal_()
    return model


def pictures(amount: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (12, 18, 3), np.uint8) for _ in range(amount)]
