"""The configuration of schemes that send pictures."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ImageCodec = Literal["webp", "jpeg", "avif"]
Quality = int | Literal["lossless"]
"""0 to 100, in each codec's own terms."""
LOWEST: Final = 0
HIGHEST: Final = 100
_DEFAULT: Final = 50


class BaselineConfig(BaseModel):
    """How a scheme that sends pictures codes them (`shared.image_code`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_codec: ImageCodec = "webp"
    """The format of the picture file."""
    quality: Annotated[int, Field(ge=LOWEST, le=HIGHEST)] | Literal["lossless"] | None = None
    """In the codec's own terms, or 'lossless' (WebP); 50 if neither this nor a budget is given."""
    image_uses: int | None = Field(None, ge=1)
    """Instead: the highest quality whose bytes fit so many channel uses, pilots included."""
    image_size: int | None = Field(None, ge=8, le=4_096)
    """Pixels a side that are sent; none: what the model takes."""
    codec: Literal["linear", "bypass"] = "linear"
    """What lies between the two halves of the whole model that answers (`shared.semantic.whole`)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quality is not None and self.image_uses is not None:
            raise ValueError("image_uses: quality says already how large a picture may be")
        if self.quality == "lossless" and self.image_codec != "webp":
            raise ValueError(f"quality: {self.image_codec} is not lossless, expected webp")
        return self

    @property
    def fixed_quality(self) -> Quality:
        """That of a run without a budget."""
        return _DEFAULT if self.quality is None else self.quality
