import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launch.datasets.clevr_style.camera import Camera, visible_fractions
from launch.datasets.clevr_style.scene import (
    CAMERA_JITTER,
    MARGIN,
    MIN_DISTANCE,
    MIN_VISIBLE,
    REACH,
    VISIBILITY_GRID,
    Scene,
    relationships,
    sample_scene,
    solid_of,
)
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, SIZES, VALUES


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(3, "train", index) for index in range(40)]


def test_every_object_has_clevr_attributes_and_stands_on_the_ground(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert 3 <= len(scene["objects"]) <= 10
        for item in scene["objects"]:
            assert all(item[name] in VALUES[name] for name in ATTRIBUTES)
            x, y, z = item["3d_coords"]
            assert abs(x) <= REACH
            assert abs(y) <= REACH
            assert z == SIZES[item["size"]]


def test_objects_keep_their_distance_and_margins(scenes: list[Scene]) -> None:
    for scene in scenes:
        axes = np.array([scene["directions"]["right"][:2], scene["directions"]["behind"][:2]])
        for index, one in enumerate(scene["objects"]):
            for other in scene["objects"][:index]:
                gap = np.subtract(one["3d_coords"], other["3d_coords"])[:2]
                assert np.linalg.norm(gap) - SIZES[one["size"]] - SIZES[other["size"]] >= MIN_DISTANCE
                assert (np.abs(axes @ gap) >= MARGIN).all()


def test_every_object_can_be_seen(scenes: list[Scene]) -> None:
    for scene in scenes:
        x, y, z = scene["camera"]
        solids = [solid_of(item) for item in scene["objects"]]
        assert (visible_fractions(Camera((x, y, z)), solids, VISIBILITY_GRID) >= MIN_VISIBLE).all()
        for item in scene["objects"]:
            column, row, depth = item["pixel_coords"]
            assert 0 <= column <= 240
            assert 0 <= row <= 160
            assert depth > 0


def test_relations_are_strict_opposites(scenes: list[Scene]) -> None:
    for scene in scenes:
        table = scene["relationships"]
        count = len(scene["objects"])
        for one, opposite in (("left", "right"), ("front", "behind")):
            for i in range(count):
                assert i not in table[one][i]
                assert all(i in table[opposite][j] for j in table[one][i])
                # the margin decides every pair one way or the other
                assert len(table[one][i]) + len(table[opposite][i]) == count - 1


def test_relations_are_those_of_real_clevr() -> None:
    # Three objects of CLEVR_train_000012 (Johnson et al. 2017, CC BY 4.0).
    centers = [(2.6769, -2.9216, 0.35), (-1.1293, 1.3375, 0.35), (0.4434, -1.9416, 0.7)]
    assert relationships(centers) == {
        "left": [[2], [0, 2], []],
        "right": [[1], [], [0, 1]],
        "front": [[], [0, 2], [0]],
        "behind": [[1, 2], [], [1]],
    }


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), index=st.integers(0, 10**6))
def test_a_scene_is_a_function_of_seed_split_and_index(seed: int, index: int) -> None:
    scene = sample_scene(seed, "train", index)
    assert scene == sample_scene(seed, "train", index)
    for other in (
        sample_scene(seed, "heldout", index),
        sample_scene(seed + 1, "train", index),
        sample_scene(seed, "train", index + 1),
    ):
        assert scene["camera"] != other["camera"]
        assert scene["objects"] != other["objects"]


def test_resolution_only_scales_pixel_coordinates() -> None:
    small, large = sample_scene(0, "train", 5, (192, 128)), sample_scene(0, "train", 5, (480, 320))
    assert small["camera"] == large["camera"]
    for one, other in zip(small["objects"], large["objects"], strict=True):
        assert one["3d_coords"] == other["3d_coords"]
        assert np.allclose(np.multiply(one["pixel_coords"][:2], 2.5), other["pixel_coords"][:2], atol=2)


def test_split_names_share_no_scene_and_jitter_is_bounded(scenes: list[Scene]) -> None:
    heldout = [sample_scene(3, "heldout", index) for index in range(40)]
    places = {tuple(scene["camera"]) for scene in (*scenes, *heldout)}
    assert len(places) == 80
    assert np.ptp(np.array(list(places)), axis=0).max() <= 2 * CAMERA_JITTER
