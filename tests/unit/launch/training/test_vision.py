"""Pictures as the vision tower's training sees them."""

import numpy as np
import pytest

from launch.training.scenes import FINE, shift
from launch.training.vision import NORMAL, augment, soften


def test_noise_is_unit_normal() -> None:
    drawn = NORMAL[np.frombuffer(np.random.default_rng(0).bytes(200_000), np.uint8)].astype(np.float64)
    # Four standard errors; 256 levels take a little off the tails.
    assert abs(drawn.mean()) < 4 / 200_000**0.5
    assert drawn.var() == pytest.approx(1.0, abs=0.015)
    assert (drawn**4).mean() == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("seed", range(6))
def test_an_augmented_picture_shows_the_same_moved_in_other_light(seed: int) -> None:
    size = 2 * FINE[0]
    # Smooth, so that softening changes little; each channel has its own gradient.
    across, along = np.meshgrid(np.linspace(20, 230, size), np.linspace(20, 230, size))
    picture = np.stack([across, along, (across + along) / 2], 2).astype(np.uint8)
    found, change = augment(picture, np.random.default_rng(seed))
    assert found.shape == (3, size, size)
    assert found.dtype == np.float32
    expected = picture[:, ::-1] if change.mirrored else picture
    expected = shift(expected, round(change.right * size / FINE[0]), round(change.down * size / FINE[1]))
    for channel in range(3):
        # The light may bend a channel's levels, but keeps their order.
        alike = np.corrcoef(expected[..., channel].ravel(), found[channel].ravel())[0, 1]
        assert alike > 0.97


def test_softening_keeps_the_sum_and_spreads_a_point() -> None:
    point = np.zeros((1, 5, 5), np.float32)
    point[0, 2, 2] = 1.0
    found = soften(point, across=0.1, along=0.2)
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found[0, 2], [0, 0.06, 0.48, 0.06, 0], atol=1e-6)
    np.testing.assert_allclose(found[0, :, 2], [0, 0.16, 0.48, 0.16, 0], atol=1e-6)
