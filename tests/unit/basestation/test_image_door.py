"""Only whole, sane pictures pass."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from basestation.image_door import BadInput, decode_image
from shared.config import LimitsConfig

LIMITS = LimitsConfig(image_bytes=200_000, image_pixels=100_000)


def picture(fmt: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB") -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(out, fmt)
    return out.getvalue()


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_common_formats_become_rgb(fmt: str, mode: str) -> None:
    pixels = decode_image(picture(fmt, mode=mode), LIMITS)
    assert pixels.shape == (40, 60, 3)
    assert pixels.dtype == np.uint8


def test_a_truncated_file_is_refused_in_one_line() -> None:
    whole = picture()
    for cut in (0, 10, 60, len(whole) // 2, len(whole) * 9 // 10):
        with pytest.raises(BadInput, match="image: ") as caught:
            decode_image(whole[:cut], LIMITS)
        assert "\n" not in str(caught.value)


def test_a_small_file_that_claims_a_huge_picture_is_refused_unopened() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(BadInput, match="image: "):
        decode_image(bomb, LIMITS)


def test_limits_are_kept() -> None:
    with pytest.raises(BadInput, match="at most 200000"):
        decode_image(b"\0" * 200_001, LIMITS)
    with pytest.raises(BadInput, match="400x300 pixels"):
        decode_image(picture(size=(400, 300), fmt="JPEG"), LIMITS)
    with pytest.raises(BadInput, match="4x40 pixels"):
        decode_image(picture(size=(4, 40)), LIMITS)


@given(st.binary(max_size=300), st.integers(0, 3))
def test_foreign_bytes_are_refused_and_nothing_else_happens(data: bytes, magic: int) -> None:
    prefix = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 ")[magic]
    with pytest.raises(BadInput):
        decode_image(prefix + data, LIMITS)
