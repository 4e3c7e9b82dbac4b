"""Only whole, sane pictures pass."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from basestation.image_door import MAX_JPEG_SCANS, BadInput, decode_image
from shared.config import LimitsConfig
from tests.fuzz.oracle import check_complaint

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


def test_a_jpeg_that_goes_over_its_pixels_without_end_is_refused_unopened() -> None:
    """42 bytes more are one more scan over the whole picture: at 25 million pixels, 30 ms of a processor."""
    out = io.BytesIO()
    Image.new("L", (200, 200)).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")

    def scans(amount: int) -> bytes:
        return whole[:last] + whole[last:-2] * (amount - whole.count(b"\xff\xda") + 1) + whole[-2:]

    assert decode_image(scans(MAX_JPEG_SCANS), LIMITS).shape == (200, 200, 3)
    with pytest.raises(BadInput, match="more than 100 scans"):
        decode_image(scans(MAX_JPEG_SCANS + 1), LIMITS)


def test_limits_are_kept() -> None:
    with pytest.raises(BadInput, match="at most 200000"):
        decode_image(b"\0" * 200_001, LIMITS)
    with pytest.raises(BadInput, match="400x300 pixels"):
        decode_image(picture(size=(400, 300), fmt="JPEG"), LIMITS)
    with pytest.raises(BadInput, match="4x40 pixels"):
        decode_image(picture(size=(4, 40)), LIMITS)


_FILES = [
    picture(fmt, mode=mode)
    for fmt, mode in (
        ("PNG", "RGB"),
        ("PNG", "P"),
        ("JPEG", "L"),
        ("WEBP", "RGBA"),
        ("BMP", "1"),
        ("GIF", "P"),
    )
]


@given(st.sampled_from(_FILES), st.data())
def test_a_damaged_picture_is_a_picture_or_bad_input(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(whole)) | st.integers(0, len(whole)))
    try:
        pixels = decode_image(damaged[:cut], LIMITS)
    except BadInput as error:
        check_complaint(error)
    else:
        height, width, colours = pixels.shape
        assert (colours, pixels.dtype) == (3, np.uint8)
        assert height * width <= LIMITS.image_pixels


@given(st.binary(max_size=300), st.integers(0, 3))
def test_foreign_bytes_are_refused_and_nothing_else_happens(data: bytes, magic: int) -> None:
    prefix = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 ")[magic]
    with pytest.raises(BadInput):
        decode_image(prefix + data, LIMITS)
