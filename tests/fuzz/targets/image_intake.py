"""Image files. A PNG is judged twice: as it is, and with the checksums of its chunks made right."""

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image

from basestation.image_door import BadInput, decode_image
from shared.config import LimitsConfig
from tests.fuzz.oracle import check_complaint

LIMITS = LimitsConfig(image_bytes=2**18, image_pixels=2**18)
_PNG = b"\x89PNG\r\n\x1a\n"


def _picture(fmt: str, mode: str = "RGB", **options: object) -> bytes:
    ramp = np.arange(16 * 12 * 3, dtype=np.uint8).reshape(12, 16, 3)
    out = io.BytesIO()
    Image.fromarray(ramp).convert(mode).save(out, fmt, **options)
    return out.getvalue()


SEEDS = (
    _picture("PNG"), _picture("PNG", "P"), _picture("PNG", "LA"), _picture("PNG", "1"),
    _picture("PNG", "I;16"),
    _picture("JPEG"), _picture("JPEG", "L", progressive=True), _picture("JPEG", "CMYK"),
    _picture("WEBP"), _picture("WEBP", "RGBA", lossless=True),
    _picture("WEBP", save_all=True, append_images=[Image.new("RGB", (16, 12))]),
    _picture("BMP"), _picture("BMP", "P"), _picture("BMP", "1"), _picture("GIF", "P"), _picture("TIFF"),
)  # fmt: skip
TOKENS = (
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fcTL",
    b"fdAT",
    b"gAMA", b"pHYs", b"\xff\xd8", b"\xff\xc0", b"\xff\xc2", b"\xff\xda", b"\xff\xdb", b"\xff\xc4",
    b"\xff\xe1",
    b"\xff\xe2MPF\0", b"Exif\0\0", b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"\x7f\xff\xff\xff",
)  # fmt: skip


def one_input(data: bytes) -> None:
    _check(data)
    if data.startswith(_PNG):
        _check(_resealed(data))


def _check(data: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which nobody looks at
            pixels_HWC = decode_image(data, LIMITS)
    except BadInput as error:
        check_complaint(error)
        return
    height, width, colours = pixels_HWC.shape
    if pixels_HWC.dtype != np.uint8 or colours != 3 or min(height, width) < 8:
        raise AssertionError(f"pixels {pixels_HWC.dtype} {pixels_HWC.shape}")
    if height * width > LIMITS.image_pixels:
        raise AssertionError(f"{width}x{height} pixels")


def _resealed(data: bytes) -> bytes:
    """A PNG with the CRC-32 that each of its chunks should have, as far as there are whole chunks."""
    out, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        chunk = data[at + 4 : at + 8 + length]
        out += [data[at : at + 4], chunk, struct.pack(">I", zlib.crc32(chunk))]
        at += 12 + length
    return b"".join(out) + data[at:]
