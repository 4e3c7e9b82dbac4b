"""Sizes and limits of a semantic codec, checked when read; presets `micro` and `paper`.

Sizes of `paper`: SigLIP ViT-L/16-256 (Zhai et al. 2023, `google/siglip-large-patch16-256`), a two-layer KAN
(Liu et al. 2024), Gemma2-2b (Gemma team 2024, `google/gemma-2-2b-it`), and 512 real values a token on the
air.
"""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.outside_text import one_line
from shared.semantic.tasks import INSTRUCTIONS, TASKS

if TYPE_CHECKING:
    from transformers import Gemma2Config, SiglipVisionConfig


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VisionSizes(_Part):
    """SigLIP's vision tower: a square picture cut into square patches, one token each."""

    image_size: int = Field(gt=0, le=1_024)
    patch_size: int = Field(gt=0)
    hidden: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    stem: tuple[int, ...] | None = Field(None, min_length=1, max_length=8)
    """Channels of convolutional stages before the patch embedding; each halves the resolution."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.image_size % self.patch_size:
            raise ValueError("patch_size must divide image_size")
        if self.stem is not None and min(self.stem) < 1:
            raise ValueError("stem: expected positive numbers of channels")
        if self.stem is not None and self.patch_size % 2 ** len(self.stem):
            raise ValueError(f"stem: a patch is halved {len(self.stem)} times: patch_size does not allow it")
        return self

    @property
    def tokens(self) -> int:
        return (self.image_size // self.patch_size) ** 2

    def to_transformers(self) -> "SiglipVisionConfig":
        """The same in `transformers`' terms."""
        from transformers import SiglipVisionConfig  # takes seconds, which reading sizes need not

        config = SiglipVisionConfig(
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            image_size=self.image_size,
            patch_size=self.patch_size,
            vision_use_head=False,
        )
        config._attn_implementation = "sdpa"
        return config


class KanSizes(_Part):
    """The projector: `widths` of its layers, and the splines on its edges."""

    widths: tuple[int, ...] = Field(min_length=2)
    grid: int = Field(5, ge=1)
    order: int = Field(3, ge=0)


class MlpSizes(_Part):
    """The projector as a plain perceptron: two linear layers, `hidden` wide between them."""

    hidden: int = Field(gt=0)


class LlmSizes(_Part):
    """Gemma2. `attention_softcap` None lets fused attention run; with one, attention is computed eagerly."""

    vocab: int = Field(gt=0)
    hidden: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    attention_softcap: float | None = 50.0
    logit_softcap: float | None = 30.0
    attention_scalar: int = Field(256, gt=0)
    sliding_window: int = Field(4_096, gt=0)
    max_positions: int = Field(8_192, gt=0)
    rope_theta: float = 10_000.0
    pad_id: int = 0
    eos_id: int = 1
    bos_id: int = 2
    stop_ids: tuple[int, ...] = (1,)

    def to_transformers(self) -> "Gemma2Config":
        """The same in `transformers`' terms."""
        from transformers import Gemma2Config

        return Gemma2Config(
            vocab_size=self.vocab,
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.head_dim,
            attn_logit_softcapping=self.attention_softcap,
            final_logit_softcapping=self.logit_softcap,
            query_pre_attn_scalar=self.attention_scalar,
            sliding_window=self.sliding_window,
            max_position_embeddings=self.max_positions,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_theta},
            pad_token_id=self.pad_id,
            eos_token_id=self.eos_id,
            bos_token_id=self.bos_id,
        )


class Limits(_Part):
    """What a request may ask for. Text and answers count in tokens of the bundle's tokenizer."""

    text_tokens: int = Field(gt=0)
    new_tokens: dict[str, int]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if set(self.new_tokens) != set(TASKS) or min(self.new_tokens.values()) < 1:
            raise ValueError(f"new_tokens: expected a positive number for each of {', '.join(TASKS)}")
        return self


class SemanticConfig(_Part):
    """Everything that shapes the weights. `uses_per_token` counts channel uses: two real values each.

    The projector is of the kind whose sizes are given: `kan`, which is M4SC's, or `mlp`, to compare with.
    """

    name: str
    vision: VisionSizes
    kan: KanSizes | None = None
    mlp: MlpSizes | None = None
    llm: LlmSizes
    uses_per_token: int = Field(gt=0)
    power: Literal["token", "stream"] = "token"
    """What the channel code's power is fixed for (`shared.semantic.codec`)."""
    split_layer: int = Field(ge=0)
    limits: Limits
    instructions: dict[str, str]
    traces: bool = False
    """Whether answers about images come with a reasoning trace (`shared.semantic.trace`)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kan is None) == (self.mlp is None):
            raise ValueError("expected one of kan and mlp, the sizes of the projector")
        ends = (self.vision.hidden, self.llm.hidden)
        if self.kan is not None and (self.kan.widths[0], self.kan.widths[-1]) != ends:
            raise ValueError(f"kan.widths must lead from {ends[0]} to {ends[1]}")
        if self.split_layer > self.llm.layers:
            raise ValueError(f"split_layer must lie in [0, {self.llm.layers}]")
        if set(self.instructions) != set(TASKS):
            raise ValueError(f"instructions: expected one for each of {', '.join(TASKS)}")
        return self

    @property
    def image_tokens(self) -> int:
        return self.vision.tokens


class SemanticConfigError(ValueError):
    """A configuration that describes no codec; one line."""


def parse_config(data: object) -> SemanticConfig:
    """Check a plain map. Raises `SemanticConfigError`, one line that names the field."""
    try:
        return SemanticConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = one_line(".".join(str(part) for part in first["loc"])) or "config"
        message = first["msg"].removeprefix("Value error, ")
        raise SemanticConfigError(f"{place}: {one_line(message, 400)}") from None


def at_split(config: SemanticConfig, k: int) -> SemanticConfig:
    """The same cut before layer k. Raises `SemanticConfigError`."""
    return parse_config({**config.model_dump(), "split_layer": k})


MICRO = SemanticConfig(
    name="micro",
    vision=VisionSizes(
        image_size=160, patch_size=16, hidden=192, intermediate=576, layers=3, heads=6, stem=(32, 64, 128)
    ),
    kan=KanSizes(widths=(192, 128, 128)),
    llm=LlmSizes(
        vocab=8_192,
        hidden=128,
        intermediate=384,
        layers=6,
        heads=4,
        kv_heads=2,
        head_dim=32,
        attention_softcap=None,
        attention_scalar=32,
        sliding_window=4_096,
        max_positions=4_096,
    ),
    uses_per_token=14,
    power="stream",
    split_layer=2,
    limits=Limits(text_tokens=352, new_tokens={"vqa": 48, "caption": 88, "text_classification": 2}),
    instructions=INSTRUCTIONS,
    traces=True,
)

PAPER = SemanticConfig(
    name="paper",
    vision=VisionSizes(image_size=256, patch_size=16, hidden=1_024, intermediate=4_096, layers=24, heads=16),
    kan=KanSizes(widths=(1_024, 2_304, 2_304)),
    llm=LlmSizes(
        vocab=256_000,
        hidden=2_304,
        intermediate=9_216,
        layers=26,
        heads=8,
        kv_heads=4,
        head_dim=256,
        stop_ids=(1, 107),
    ),
    uses_per_token=256,
    split_layer=2,
    limits=Limits(text_tokens=1_024, new_tokens={"vqa": 16, "caption": 64, "text_classification": 8}),
    instructions=INSTRUCTIONS,
)

PRESETS = {"micro": MICRO, "paper": PAPER}
