import numpy as np
import pytest
from numpy.typing import NDArray

from launch.datasets.clevr_style.denoise import denoise

HEIGHT, WIDTH = 24, 32


def _ids() -> NDArray[np.int64]:
    ids = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    ids[:, WIDTH // 2 :] = 1
    return ids


def _sub_ids(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(_ids()[rows, columns][:, None], 4, axis=1)


def test_noise_falls_and_objects_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    clean = np.where(_ids()[..., None] == 0, [0.2, 0.2, 0.2], [0.1, 0.5, 0.9]).astype(np.float32)
    noisy = (clean * rng.uniform(0.7, 1.3, (HEIGHT, WIDTH, 1))).astype(np.float32)
    result = denoise(noisy, _ids(), np.zeros((HEIGHT, WIDTH), dtype=bool), _sub_ids)
    assert np.abs(result / clean - 1).mean() < 0.25 * np.abs(noisy / clean - 1).mean()
    assert np.abs(result / clean - 1).max() < 0.15


@pytest.mark.parametrize("shiny", [False, True])
def test_a_bright_spot_survives_only_on_shiny_objects(shiny: bool) -> None:
    image = np.full((HEIGHT, WIDTH, 3), 0.2, dtype=np.float32)
    image[10:13, 5:8] = 5.0
    image[4, 24] = 50.0
    result = denoise(image, _ids(), np.full((HEIGHT, WIDTH), shiny) & (_ids() == 0), _sub_ids)
    assert result[4, 24].max() < 0.4
    assert (result[11, 6].min() > 2.0) or not shiny


def test_a_sliver_without_inner_pixels_keeps_its_own_colour() -> None:
    ids = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    ids[8, 8] = 1
    image = np.full((HEIGHT, WIDTH, 3), 0.3, dtype=np.float32)
    image[8, 8] = (0.1, 0.2, 0.3)
    result = denoise(
        image, ids, np.zeros_like(ids, dtype=bool), lambda rows, columns: ids[rows, columns][:, None]
    )
    assert result[8, 8] == pytest.approx([0.1, 0.2, 0.3])
    assert result[9, 9] == pytest.approx([0.3, 0.3, 0.3])
