"""Scenes that the tests of questions share: made once, and never changed by a test."""

import pytest

from launch.datasets.clevr_style.scene import Scene, sample_scene


@pytest.fixture(scope="package")
def scenes() -> list[Scene]:
    return [sample_scene(11, "test", index) for index in range(60)]
