"""Operating points: how much of an image a scheme sends, by what it sets of the configuration.

Written as SCHEME:SIZE, SCHEME alone for its usual size, and sizes of `m4sc` alone.
"""

import re
from dataclasses import dataclass
from typing import Final

from launch.errors import LaunchError
from shared.rate import EIGHTHS
from shared.schemes import scheme_of

OWN_SCHEME: Final = "m4sc"
POINT_KEYS: Final = ("scheme", "rate.image_tokens", "rate.image_eighths", "rate.text_eighths")
"""What every point sets."""
PICTURE_KEYS: Final = ("baseline.quality", "baseline.image_uses")
"""What those of schemes that send pictures set beside."""
_TOKENS: Final = re.compile(r"(all|[1-9][0-9]{0,5})(?:x([1-8]))?(?:t([1-8]))?")
_EIGHTHS: Final = re.compile(r"x([1-8])")
_PICTURE: Final = re.compile(r"q([0-9]{1,3})|u([1-9][0-9]{0,6})|lossless")


@dataclass(frozen=True, slots=True)
class Size:
    """`text` as it is written; image tokens (None: all), eighths of their channel uses and of those of words,
    and of pictures the quality or a budget in channel uses."""

    text: str = ""
    image_tokens: int | None = None
    image_eighths: int = EIGHTHS
    text_eighths: int = EIGHTHS
    quality: str | None = None
    image_uses: int | None = None


def _token_size(text: str) -> Size | None:
    found = _TOKENS.fullmatch(text)
    if found is None:
        return None
    tokens, of_image, of_text = found.groups()
    kept = None if tokens == "all" else int(tokens)
    return Size(text, kept, int(of_image or EIGHTHS), int(of_text or EIGHTHS))


def _eighths_size(text: str) -> Size | None:
    found = _EIGHTHS.fullmatch(text)
    return None if found is None else Size(text, image_eighths=int(found[1]))


def _picture_size(text: str) -> Size | None:
    found = _PICTURE.fullmatch(text)
    if found is None:
        return None
    quality, uses = found.groups()
    if uses is not None:
        return Size(text, image_uses=int(uses))
    return Size(text, quality="lossless" if quality is None else quality)


_SIZES: Final = {
    OWN_SCHEME: (
        _token_size,
        "all",
        "all, a number of image tokens, or either with 'x' and 1 to 8 eighths of a token's channel uses, and "
        "'t' and those of a word's: all,36,18,36x4,18t4",
    ),
    "deepsc_vqa": (_eighths_size, "x8", "x1 to x8, eighths of a patch's channel uses"),
    "webp_ldpc": (_picture_size, "q50", "q0 to q100, lossless, or u and a budget in channel uses: q50,u504"),
}
"""Schemes whose images have a size: how it is read, the usual one, and what is expected."""


@dataclass(frozen=True, slots=True)
class Point:
    """A scheme at one size of its images; `Point()` is all of `m4sc`."""

    scheme: str = OWN_SCHEME
    size: Size = Size("all")

    @classmethod
    def parse(cls, text: str) -> "Point":
        """`all`, `16`, `16x4`, `webp_ldpc:u504`, `answer_only`. Raises `LaunchError`."""
        head, colon, tail = text.strip().partition(":")
        if not colon and not _is_scheme(head):
            head, colon, tail = OWN_SCHEME, ":", head
        if head not in _SIZES:
            return cls._of_one_size(text, head, colon)
        read, usual, expected = _SIZES[head]
        size = read(tail if colon else usual)
        if size is None:
            raise LaunchError(f"--points {text}: expected {expected}")
        return cls(head, size)

    @classmethod
    def _of_one_size(cls, text: str, scheme: str, colon: str) -> "Point":
        try:
            scheme_of(scheme)
        except ValueError as error:
            raise LaunchError(f"--points {text}: {error}") from None
        if colon:
            raise LaunchError(f"--points {text}: expected {scheme} alone, its images have one size")
        return cls(scheme, Size())

    @property
    def label(self) -> str:
        if self.scheme == OWN_SCHEME:
            return self.size.text
        return ":".join(word for word in (self.scheme, self.size.text) if word)

    @property
    def overrides(self) -> tuple[str, ...]:
        size = self.size
        tokens = "null" if size.image_tokens is None else size.image_tokens
        sets = [*zip(POINT_KEYS, (self.scheme, tokens, size.image_eighths, size.text_eighths), strict=True)]
        if size.quality is not None or size.image_uses is not None:
            sets += zip(PICTURE_KEYS, (size.quality or "null", size.image_uses or "null"), strict=True)
        return tuple(f"{key}={value}" for key, value in sets)


def _is_scheme(name: str) -> bool:
    try:
        scheme_of(name)
    except ValueError:
        return False
    return True
