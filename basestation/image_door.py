"""The door for images: nothing reaches the encoder that is not a whole, sane picture."""

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from shared.config import LimitsConfig

ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_JPEG_SCANS = 100
"""Encoders write about ten. Each may be a few bytes that go over every pixel once more."""
_JPEG, _START_OF_SCAN = b"\xff\xd8", b"\xff\xda"


class BadInput(ValueError):
    """An input of a user that cannot be served; the message is one line for that user."""


def decode_image(data: bytes | memoryview, limits: LimitsConfig) -> np.ndarray:
    """An image file as uint8 [height, width, 3], RGB. Raises `BadInput`.

    The header is judged before a pixel is decoded, so a small file cannot unfold into a huge picture.
    """
    data = bytes(data)
    if len(data) > limits.image_bytes:
        raise BadInput(f"image: {len(data)} bytes, at most {limits.image_bytes} are accepted")
    if data.startswith(_JPEG) and data.count(_START_OF_SCAN) > MAX_JPEG_SCANS:
        raise BadInput(f"image: a JPEG file of more than {MAX_JPEG_SCANS} scans")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS)
            width, height = image.size
            if width * height > limits.image_pixels or min(width, height) < 8:
                raise BadInput(
                    f"image: {width}x{height} pixels, expected 8x8 to {limits.image_pixels} in all"
                )
            pixels_HWC = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise BadInput(f"image: not a {', '.join(ACCEPTED_FORMATS)} file") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        if isinstance(error, BadInput):
            raise
        # Pillow reports damaged files by several types, SyntaxError among them.
        raise BadInput(f"image: damaged file ({' '.join(str(error).split())[:120]})") from None
    return pixels_HWC


def check_image(data: bytes | memoryview, limits: LimitsConfig) -> None:
    """Raise `BadInput` unless `decode_image` would accept the file."""
    decode_image(data, limits)
