"""Scene graphs as per-patch targets."""

import numpy as np
import pytest

from launch.datasets.clevr_style.scene import imagine_scene, sample_scene
from launch.training.images import part_of
from launch.training.scenes import (
    FEATURES,
    FINE,
    GRID,
    NOTHING,
    PATCHES,
    SIZES_OF,
    anchors,
    doubtful_features,
    features,
    patches_of,
    shift,
)


def test_no_patch_is_given_twice() -> None:
    places = anchors([(2.5, 2.5), (2.6, 2.4), (2.7, 2.6), (GRID - 0.1, 0.0), (GRID + 1.0, -1.0)])
    assert len(set(places)) == 5
    assert places[0] == 2 * GRID + 2
    assert places[3] == GRID - 1


def test_targets_and_symbols_tell_of_every_object() -> None:
    scene = sample_scene(0, "train", 3)
    patches = patches_of(scene, 240, 160, coverage=True)
    assert (patches.anchor_NA[:, 0] != NOTHING).sum() == len(scene["objects"])
    symbols = features(patches)
    assert symbols.shape == (PATCHES, FEATURES)
    assert symbols[:, 0].sum() == len(scene["objects"])
    assert (symbols[list(patches.objects), 1:-2].sum(1) == 4).all()
    assert (np.abs(patches.offset_N2) <= 1.5).all()
    covered = (patches.cover_NA[:, 0] != NOTHING).sum()
    assert len(scene["objects"]) <= covered < PATCHES


@pytest.mark.parametrize("index", range(5))
def test_mirrored_twice_is_the_same(index: int) -> None:
    patches = patches_of(sample_scene(0, "train", index), 240, 160, coverage=True)
    back = patches.moved(True, 0, 0).moved(True, 0, 0)
    np.testing.assert_array_equal(back.anchor_NA, patches.anchor_NA)
    np.testing.assert_array_equal(back.cover_NA, patches.cover_NA)


def test_moved_by_one_patch_everything_is_one_patch_further() -> None:
    patches = patches_of(imagine_scene(np.random.default_rng(0), 10, (240, 160)), 240, 160)
    moved = patches.moved(False, FINE[0] // GRID, 0)
    where = patches.anchor_NA.reshape(GRID, GRID, -1)[:, :-1]
    np.testing.assert_array_equal(moved.anchor_NA.reshape(GRID, GRID, -1)[:, 1:], where)


def test_shift_repeats_the_edge() -> None:
    picture = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(shift(picture, 1, 0)[0], [0, 0, 1, 2])
    np.testing.assert_array_equal(shift(picture, 0, -1)[:, 0], [4, 8, 8])


def test_the_three_parts_of_the_pictures_are_apart() -> None:
    parts = [part_of(number) for number in (0, 1, 2, 39, 40, 41)]
    assert parts == ["dev", "test", "train", "train", "dev", "test"]


def test_doubtful_symbols_are_probabilities_that_hold() -> None:
    rng = np.random.default_rng(0)
    said, true = [], []
    for _ in range(300):
        patches = patches_of(imagine_scene(rng, 10, (240, 160)), 240, 160)
        said.append(doubtful_features(patches, rng))
        true.append(features(patches))
    said_NF, true_NF = np.concatenate(said)[:, :-2], np.concatenate(true)[:, :-2]
    assert said_NF.min() >= 0
    # Of every attribute alike: an object's probabilities add up to that of its being there.
    start = 1
    for amount in SIZES_OF:
        np.testing.assert_allclose(said_NF[:, start : start + amount].sum(1), said_NF[:, 0], atol=1e-5)
        start += amount
    assert said_NF[:, 0].sum() == pytest.approx(true_NF[:, 0].sum(), rel=0.01)
    for low, high in ((0.02, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.98)):
        chosen = (said_NF > low) & (said_NF < high)
        assert true_NF[chosen].mean() == pytest.approx(said_NF[chosen].mean(), abs=0.08), (low, high)
    sure = said_NF[:, 0] > 0.98
    assert true_NF[sure, 0].mean() > 0.98
