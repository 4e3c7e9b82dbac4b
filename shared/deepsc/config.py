"""What shapes the weights of DeepSC and of DeepSC-VQA."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shared.outside_text import one_line

SCHEME_KEY: Final = "scheme"
"""Of config.json: whose weights they are. A bundle of M4SC's has none."""
STRIDE: Final = 12
"""Pixels a side of a patch."""
Size = Annotated[int, Field(gt=0, le=65_536)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TransformerSizes(_Part):
    """A stack of transformer layers; the defaults are those of DeepSC (Xie et al. 2021, table I)."""

    width: Size = 128
    layers: Size = 3
    heads: Size = 8
    inner: Size = 512

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.heads or self.width % 2:
            raise ValueError("width: expected a multiple of heads, and even")
        return self


class _Deepsc(_Part):
    name: str = Field(max_length=64)
    vocab: Size
    text_tokens: Annotated[int, Field(gt=0, le=4_096)]
    """Words (tokens) of the longest text that is accepted."""
    text: TransformerSizes = TransformerSizes()
    channel_hidden: Size = 256
    answers: tuple[str, ...] = Field(min_length=2, max_length=1_024)
    """The closed set that the receiver answers from."""


class DeepscConfig(_Deepsc):
    """DeepSC for text: 128 -> 256 -> 16 real numbers, 8 channel uses (complex symbols), a word."""

    scheme: Literal["deepsc"] = "deepsc"
    uses_per_word: Annotated[int, Field(gt=0, le=256)] = 8


class DeepscVqaConfig(_Deepsc):
    """DeepSC-VQA: an image encoder, a text encoder, and a reasoning network that answers."""

    scheme: Literal["deepsc_vqa"] = "deepsc_vqa"
    uses_per_word: Annotated[int, Field(gt=0, le=256)] = 4
    image_size: Annotated[int, Field(gt=0, le=1_024)] = 168
    channels: tuple[Size, Size, Size] = (32, 64, 128)
    """Of the image encoder's stages: a third of the picture's resolution, then half of the one before."""
    blocks: Size = 2
    """Residual blocks in each of its last two stages."""
    uses_per_patch: Annotated[int, Field(gt=0, le=256)] = 16
    steps: Size = 6
    """Of reasoning."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.image_size % STRIDE:
            raise ValueError(f"image_size: expected a multiple of {STRIDE}")
        return self

    @property
    def grid(self) -> int:
        """Patches a side: 14 as in the paper."""
        return self.image_size // STRIDE

    @property
    def patches(self) -> int:
        return self.grid**2


AnyDeepsc = DeepscConfig | DeepscVqaConfig
_BY_SCHEME: Final[dict[str, TypeAdapter[Any]]] = {
    "deepsc": TypeAdapter(DeepscConfig),
    "deepsc_vqa": TypeAdapter(DeepscVqaConfig),
}


class DeepscConfigError(ValueError):
    """A configuration of no such model; one line."""


def parse_config(data: object, scheme: str) -> AnyDeepsc:
    """Check a plain map. Raises `DeepscConfigError`, one line that names the field."""
    try:
        config: AnyDeepsc = _BY_SCHEME[scheme].validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = one_line(".".join(str(part) for part in first["loc"])) or "config"
        raise DeepscConfigError(
            f"{place}: {one_line(first['msg'].removeprefix('Value error, '), 400)}"
        ) from None
    return config
