"""Pictures as few bytes."""

import numpy as np
import pytest
from PIL import Image

from shared import image_code
from shared.baseline_config import HIGHEST, ImageCodec
from shared.picture_file import PictureError

LIMIT = 25_000_000


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth one."""
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def error_of(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a.astype(float) - b.astype(float)) ** 2))


@pytest.mark.parametrize("seed", range(8))
def test_lossless_is_exact_without_the_container(seed: int) -> None:
    """Pictures of several sizes, so that odd lengths are among them."""
    sent = picture(seed, 20 + seed, 31 + 3 * seed)
    data = image_code.encode(sent, "webp", "lossless")
    assert data[0] == 0x2F
    assert b"RIFF" not in data[:8]
    np.testing.assert_array_equal(image_code.decode(data, "webp", LIMIT), sent)


@pytest.mark.parametrize("codec", ["webp", "jpeg", "avif"])
def test_more_quality_is_more_bytes_and_less_error(codec: ImageCodec) -> None:
    sent = picture(3, 96, 96)
    coarse, fine = (image_code.encode(sent, codec, quality) for quality in (5, 90))
    assert len(coarse) < len(fine)
    errors = [error_of(image_code.decode(data, codec, LIMIT), sent) for data in (coarse, fine)]
    assert errors[1] < errors[0] < 2_000


@pytest.mark.parametrize("budget", [4_000, 250, 120])
def test_the_highest_quality_that_fits_is_taken(budget: int) -> None:
    sent = picture(1, 300, 200)
    data, side, quality = image_code.fit(sent, "webp", lambda n: n <= budget, 160)
    assert len(data) <= budget
    assert image_code.decode(data, "webp", LIMIT).shape == (side, side, 3)
    assert isinstance(quality, int)
    if quality < HIGHEST:
        more = image_code.encode(image_code.squashed(sent, side), "webp", quality + 1)
        assert len(more) > budget


def test_a_picture_is_made_smaller_before_it_is_given_up() -> None:
    rough = np.random.default_rng(0).integers(0, 255, (160, 160, 3), np.uint8)
    _, side, _ = image_code.fit(rough, "webp", lambda n: n <= 300, 160)
    assert side < 160
    with pytest.raises(PictureError, match="does not fit as webp"):
        image_code.fit(rough, "webp", lambda n: n <= 10, 160)


def test_other_codecs_are_not_lossless() -> None:
    with pytest.raises(PictureError, match="jpeg is not lossless"):
        image_code.encode(picture(0), "jpeg", "lossless")


@pytest.mark.parametrize("codec", ["webp", "jpeg", "avif"])
def test_damaged_files_are_refused_in_one_line(codec: ImageCodec) -> None:
    data = image_code.encode(picture(2), codec, 50)
    for wrong in (b"", data[: len(data) // 3], bytes(len(data)), data[::-1]):
        with pytest.raises(PictureError) as found:
            image_code.decode(wrong, codec, LIMIT)
        assert "\n" not in str(found.value)
    with pytest.raises(PictureError, match="pixels, expected"):
        image_code.decode(data, codec, 1_000)
