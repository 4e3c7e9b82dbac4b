"""Picture files as pixels: whole and sane ones only, whoever sent them."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, UnidentifiedImageError


class PictureError(ValueError):
    """A file that is no picture, or not one that is accepted; one line."""


def open_picture(data: bytes, formats: Sequence[str], max_pixels: int, min_side: int = 1) -> np.ndarray:
    """A file as uint8 [height, width, 3], RGB. Raises `PictureError`.

    The header is judged before a pixel is decoded, so a small file cannot unfold into a huge picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=tuple(formats))
            width, height = image.size
            if width * height > max_pixels or min(width, height) < min_side:
                raise PictureError(
                    f"{width}x{height} pixels, expected {min_side}x{min_side} to {max_pixels} in all"
                )
            pixels_HWC = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise PictureError(f"not a {', '.join(formats)} file") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        if isinstance(error, PictureError):
            raise
        # Pillow reports damaged files by several types, SyntaxError among them.
        raise PictureError(f"damaged file ({' '.join(str(error).split())[:120]})") from None
    return pixels_HWC
