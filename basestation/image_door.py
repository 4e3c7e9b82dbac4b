"""The door for images: nothing reaches the encoder that is not a whole, sane picture."""

import numpy as np

from shared.config import LimitsConfig
from shared.picture_file import PictureError, open_picture

ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MIN_SIDE = 8
MAX_JPEG_SCANS = 100
"""Encoders write about ten. Each may be a few bytes that go over every pixel once more."""
_JPEG, _START_OF_SCAN = b"\xff\xd8", b"\xff\xda"


class BadInput(ValueError):
    """An input of a user that cannot be served; the message is one line for that user."""


def decode_image(data: bytes | memoryview, limits: LimitsConfig) -> np.ndarray:
    """An image file as uint8 [height, width, 3], RGB. Raises `BadInput`."""
    data = bytes(data)
    if len(data) > limits.image_bytes:
        raise BadInput(f"image: {len(data)} bytes, at most {limits.image_bytes} are accepted")
    if data.startswith(_JPEG) and data.count(_START_OF_SCAN) > MAX_JPEG_SCANS:
        raise BadInput(f"image: a JPEG file of more than {MAX_JPEG_SCANS} scans")
    try:
        return open_picture(data, ACCEPTED_FORMATS, limits.image_pixels, MIN_SIDE)
    except PictureError as error:
        raise BadInput(f"image: {error}") from None


def check_image(data: bytes | memoryview, limits: LimitsConfig) -> None:
    """Raise `BadInput` unless `decode_image` would accept the file."""
    decode_image(data, limits)
