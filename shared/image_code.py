"""Pictures as few bytes: WebP, JPEG or AVIF, by Pillow, as an ordinary sender would.

Of a WebP file the first 20 bytes are not sent: they say 'RIFF', 'WEBP', the kind of chunk and twice the
length, all of which the rest tells (RFC 9649: a lossless bitstream begins with 0x2f, and the first byte of a
lossy one's key frame is even). JPEG and AVIF are sent as they are written.

Shapes: a picture is uint8 [height, width, 3], RGB.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from shared.baseline_config import HIGHEST, LOWEST, ImageCodec, Quality
from shared.picture_file import PictureError, open_picture

_LOSSLESS_SIGN: Final = 0x2F
_RIFF_BYTES: Final = 20
_SLOWEST_WEBP: Final = 6
_AVIF_SPEED: Final = 6
_SMALLEST: Final = 8
_SHRINK: Final = (1.0, 0.75, 0.5, 0.375, 0.25)


def squashed(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture as a square of `size` pixels a side, as the vision encoder squashes it."""
    square: np.ndarray = np.asarray(
        Image.fromarray(np.ascontiguousarray(picture)).resize((size, size), Image.Resampling.BICUBIC)
    )
    return square


def encode(picture: np.ndarray, codec: ImageCodec, quality: Quality) -> bytes:
    """Raises `PictureError` for a lossless JPEG or AVIF."""
    image, out = Image.fromarray(picture), io.BytesIO()
    if quality == "lossless" and codec != "webp":
        raise PictureError(f"{codec} is not lossless, expected webp or a quality from 0 to 100")
    if codec == "webp":
        lossless = quality == "lossless"
        level = HIGHEST if quality == "lossless" else quality
        image.save(out, "WEBP", quality=level, lossless=lossless, method=_SLOWEST_WEBP, exact=True)
        return out.getvalue()[_RIFF_BYTES:]
    if codec == "jpeg":
        image.save(out, "JPEG", quality=quality, optimize=True)
    else:
        image.save(out, "AVIF", quality=quality, speed=_AVIF_SPEED)
    return out.getvalue()


def decode(data: bytes, codec: ImageCodec, max_pixels: int) -> np.ndarray:
    """Inverse of `encode`, up to what the quality takes. Raises `PictureError`."""
    if codec == "webp":
        kind = b"VP8L" if data[:1] == bytes([_LOSSLESS_SIGN]) else b"VP8 "
        riff = (len(data) + _RIFF_BYTES - 8).to_bytes(4, "little")
        # An odd chunk is followed by a zero, which came along; its length does not count it, nor need it.
        data = b"RIFF" + riff + b"WEBP" + kind + len(data).to_bytes(4, "little") + data
    return open_picture(data, (codec.upper(),), max_pixels)


def fit(
    picture: np.ndarray, codec: ImageCodec, fits: Callable[[int], bool], size: int
) -> tuple[bytes, int, Quality]:
    """The picture at the highest quality whose bytes fit, its side in pixels and the quality.

    Where the lowest quality does not fit at `size` pixels a side, the picture is made smaller, down to a
    quarter. Raises `PictureError` where nothing fits.
    """
    for share in _SHRINK:
        side = max(_SMALLEST, round(size * share))
        square = squashed(picture, side)
        best = encode(square, codec, LOWEST)
        if not fits(len(best)):
            continue
        low, high = LOWEST, HIGHEST + 1  # `low` fits; bytes grow with quality, or nearly so
        while high - low > 1:
            middle = (low + high) // 2
            tried = encode(square, codec, middle)
            if fits(len(tried)):
                low, best = middle, tried
            else:
                high = middle
        return best, side, low
    raise PictureError(f"does not fit as {codec}, at any size and quality")
